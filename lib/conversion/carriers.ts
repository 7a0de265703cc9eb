/**
 * The annotations in which kpack carries fields of a v1alpha2 Image through v1alpha1 (spec 01 §10.1). They are read in one order, and one that cannot
 * be read ends the reading: it and those behind it stay annotations.
 */
import * as v from 'valibot';
import { longestName } from '../api/field.ts';
import { conversionCarriers } from '../api/labels.ts';
import { podEntries } from '../api/pod-fields.ts';
import { ImageCosignAnnotationsSchema } from '../api/signing.ts';
import { parseJson } from '../text/bounded-json.ts';
import { bytewise } from '../text/bytewise.ts';
import { type GoJson, goJson } from '../text/go-json.ts';
import { isJsonObject, type JsonObject } from './json.ts';

/** The API server lets annotations have this many bytes in all. */
const mostCharacters = 262_144;

/** Members in the order of Go's types, so that the text is kpack's; the keys of maps are sorted. */
const goOrder = [
  ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'],
  ['nodeAffinity', 'podAffinity', 'podAntiAffinity'],
  ['requiredDuringSchedulingIgnoredDuringExecution', 'preferredDuringSchedulingIgnoredDuringExecution'],
  ['nodeSelectorTerms', 'weight', 'preference', 'podAffinityTerm'],
  ['labelSelector', 'namespaces', 'topologyKey', 'namespaceSelector', 'matchLabelKeys', 'mismatchLabelKeys'],
  ['matchLabels', 'matchExpressions', 'matchFields'],
  ['key', 'operator', 'values', 'value', 'effect', 'tolerationSeconds'],
].flat();
const rank = new Map(goOrder.map((name, index) => [name, index]));
const byRank = (a: string, b: string): number => (rank.get(a) ?? rank.size) - (rank.get(b) ?? rank.size);

const ordered = (value: unknown, isMap: boolean): GoJson => {
  if (Array.isArray(value)) return value.map((item) => ordered(item, false));
  if (!isJsonObject(value)) return value as GoJson;
  const names = Object.keys(value).toSorted(isMap ? bytewise : byRank);
  return new Map(names.map((name) => [name, ordered(value[name], name === 'matchLabels')]));
};

const isEmpty = (value: unknown): boolean =>
  value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0);

/** How a value is written into an annotation and read again; undefined for one that is not written, or cannot be read. */
interface Form {
  write(value: unknown): string | undefined;
  read(text: string): unknown;
}

const rawUpTo = (longest: number): Form => ({
  write: (value) => (typeof value === 'string' && value !== '' ? value : undefined),
  read: (text) => (text.length > longest ? undefined : text),
});
const raw = rawUpTo(mostCharacters);

/** Go reads `+5`, and whole numbers of 64 bits; ours are exact to 53. */
const whole: Form = {
  write: (value) => (Number.isInteger(value) ? String(value) : undefined),
  read: (text) => {
    const number = /^[+-]?\d{1,19}$/.test(text) ? Number(text) : Number.NaN;
    return Number.isSafeInteger(number) ? number : undefined;
  },
};

const json = (schema: v.GenericSchema, { isMap = false, keepsEmpty = false } = {}): Form => ({
  write: (value) => {
    const isNothing = isEmpty(value) || (!keepsEmpty && isJsonObject(value) && Object.keys(value).length === 0);
    return isNothing ? undefined : goJson(ordered(value, isMap));
  },
  read: (text) => {
    try {
      const value = parseJson(text, { mostCharacters });
      return v.is(schema, value) ? value : undefined;
    } catch (error) {
      if (error instanceof SyntaxError) return undefined;
      throw error;
    }
  },
});

/** A carrier: its annotation and where its field is. */
interface Carrier {
  readonly annotation: string;
  readonly path: readonly [string, ...string[]];
  readonly form: Form;
}

const carriers: readonly Carrier[] = [
  { annotation: conversionCarriers.services, path: ['build', 'services'], form: json(podEntries.services) },
  { annotation: conversionCarriers.tolerations, path: ['build', 'tolerations'], form: json(podEntries.tolerations) },
  {
    annotation: conversionCarriers.nodeSelector,
    path: ['build', 'nodeSelector'],
    form: json(podEntries.nodeSelector, { isMap: true }),
  },
  {
    annotation: conversionCarriers.affinity,
    path: ['build', 'affinity'],
    form: json(podEntries.affinity, { keepsEmpty: true }),
  },
  { annotation: conversionCarriers.runtimeClassName, path: ['build', 'runtimeClassName'], form: raw },
  { annotation: conversionCarriers.schedulerName, path: ['build', 'schedulerName'], form: raw },
  { annotation: conversionCarriers.buildTimeout, path: ['build', 'buildTimeout'], form: whole },
  {
    annotation: conversionCarriers.storageClassName,
    path: ['cache', 'volume', 'storageClassName'],
    form: rawUpTo(longestName),
  },
  { annotation: conversionCarriers.registryTag, path: ['cache', 'registry', 'tag'], form: raw },
  { annotation: conversionCarriers.projectDescriptorPath, path: ['projectDescriptorPath'], form: raw },
  {
    annotation: conversionCarriers.cosignAnnotation,
    path: ['cosign', 'annotations'],
    form: json(ImageCosignAnnotationsSchema),
  },
  { annotation: conversionCarriers.defaultProcess, path: ['defaultProcess'], form: raw },
];

const valueAt = (members: unknown, [name, ...rest]: readonly string[]): unknown => {
  if (name === undefined) return members;
  return isJsonObject(members) ? valueAt(members[name], rest) : undefined;
};

const setAt = (members: JsonObject, [name, ...rest]: readonly string[], value: unknown): JsonObject => {
  if (name === undefined) return members;
  const inner = members[name];
  return { ...members, [name]: rest.length === 0 ? value : setAt(isJsonObject(inner) ? inner : {}, rest, value) };
};

/** The annotations that carry what a v1alpha1 Image has no field for. */
export const carried = (spec: JsonObject): Readonly<Record<string, string>> =>
  Object.fromEntries(
    carriers.flatMap(({ annotation, path, form }) => {
      const text = form.write(valueAt(spec, path));
      return text === undefined ? [] : [[annotation, text]];
    }),
  );

/** The spec with what its annotations carry, and the annotations that are left. */
export const withCarried = (
  spec: JsonObject,
  annotations: Readonly<Record<string, string>>,
): { readonly spec: JsonObject; readonly annotations: Readonly<Record<string, string>> } => {
  let [filled, left] = [spec, annotations];
  for (const { annotation, path, form } of carriers) {
    const text = left[annotation];
    if (text === undefined) continue;
    const value = form.read(text);
    // kpack makes the build before it looks at what is carried into it.
    if (path[0] === 'build') filled = { ...filled, build: isJsonObject(filled['build']) ? filled['build'] : {} };
    if (value === undefined) return { spec: filled, annotations: left };
    filled = setAt(filled, path, value);
    left = Object.fromEntries(Object.entries(left).filter(([name]) => name !== annotation));
  }
  return { spec: filled, annotations: left };
};
