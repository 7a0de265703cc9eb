/**
 * How many of an app image's layers, from the bottom, are those of the run image it was built on. Its label names the top one only, and one
 * layer may occur many times: steps that change nothing make equal layers (spec 03 §13.3; platform specification, "Rebaser"). Pure.
 */
import { PermanentError } from '../errors/expected.ts';
import { parseJson } from '../text/bounded-json.ts';
import { parseObject } from './descriptor.ts';
import type { OciImage } from './image.ts';
import { type Json, recordIn, textIn } from './image-json.ts';
import { labelBounds } from './label-bounds.ts';
import { type DigestReference, parseReference } from './reference.ts';

/** What the exporter says of the layers it made and of the run image below them. */
export const lifecycleMetadataLabel = 'io.buildpacks.lifecycle.metadata';
const buildMetadataLabel = 'io.buildpacks.build.metadata';

/** The image cannot be put on another base without a guess: whoever can is to build it from source. */
export class UnsafeRebaseError extends PermanentError {
  constructor(why: string) {
    super('', `rebase app image: ${why}`);
  }
}

const isRecord = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);

/** The label as an object; empty when absent. Throws OciError `invalid-content`. */
const metadataOf = ({ labels }: OciImage): Json => {
  const label = labels[lifecycleMetadataLabel];
  return label === undefined ? {} : parseObject(Buffer.from(label), `label ${lifecycleMetadataLabel}`);
};

/** diffID of the last layer of the run image an app was built on, as it says itself; empty when it does not. */
const topLayerIn = (metadata: Json): string => textIn(recordIn(metadata, 'runImage'), 'topLayer');

/** diffIDs of the layers that the exporter added, each as often as it did. `app` was one object in old lifecycles. */
const addedIn = (metadata: Json): readonly string[] => {
  const buildpacks = listOf(metadata['buildpacks']).filter(isRecord);
  const layers = buildpacks.flatMap((buildpack) => Object.values(recordIn(buildpack, 'layers')));
  const single = ['sbom', 'config', 'launcher', 'process-types'].map((key) => metadata[key]);
  const all = [...listOf(metadata['app']), ...layers, ...single].filter(isRecord);
  return all.map((layer) => textIn(layer, 'sha')).filter((sha) => sha !== '');
};

/** Whether image extensions may have put layers between those of the run image and the exporter's: nothing names them. */
const mayHaveExtensionLayers = ({ labels }: OciImage): boolean => {
  try {
    const built = parseJson(labels[buildMetadataLabel] ?? '{}', labelBounds);
    const extensions = isRecord(built) ? built['extensions'] : undefined;
    return extensions !== undefined && extensions !== null && !(Array.isArray(extensions) && extensions.length === 0);
  } catch {
    return true;
  }
};

const countsOf = (diffIds: readonly string[]): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>();
  for (const diffId of diffIds) counts.set(diffId, (counts.get(diffId) ?? 0) + 1);
  return counts;
};

interface Known {
  readonly diffIds: readonly string[];
  /** Layers of the exporter that the image has, each as often as it was added, if it is there so often. */
  readonly added: ReadonlyMap<string, number>;
  /** All layers above are the exporter's: then the length is known. */
  readonly counted: number | undefined;
  /** Lengths that end with the top layer and leave every layer of the exporter in the app. */
  readonly candidates: readonly number[];
  readonly top: string;
}

const knownOf = (app: OciImage): Known => {
  const metadata = metadataOf(app);
  const { diffIds } = app;
  const top = topLayerIn(metadata);
  const stated = addedIn(metadata);
  const present = countsOf(diffIds);
  const added = new Map(
    [...countsOf(stated)].flatMap(([diffId, count]) => {
      const there = Math.min(count, present.get(diffId) ?? 0);
      return there === 0 ? [] : [[diffId, there] as const];
    }),
  );
  const keepsApp = (length: number): boolean => {
    const above = countsOf(diffIds.slice(length));
    return [...added].every(([diffId, count]) => (above.get(diffId) ?? 0) >= count);
  };
  const lengths = diffIds.flatMap((diffId, index) => (diffId === top ? [index + 1] : []));
  if (lengths.length === 0) throw new UnsafeRebaseError('could not find base layer in image');
  const candidates = lengths.filter(keepsApp);
  const wanted = diffIds.length - stated.length;
  const isCounted =
    candidates.includes(wanted) &&
    !mayHaveExtensionLayers(app) &&
    [...countsOf(stated)].every(([diffId, count]) => added.get(diffId) === count);
  return { diffIds, added, counted: isCounted ? wanted : undefined, candidates, top };
};

/**
 * The old run image to be read because the app image alone does not say where its own layers begin; undefined when it does, or when it names
 * the old one by no digest. Throws UnsafeRebaseError when no run image can help.
 */
export const oldBaseToRead = (app: OciImage): DigestReference | undefined => {
  const { counted, candidates } = knownOf(app);
  if (counted !== undefined || candidates.length < 2) return undefined;
  try {
    const reference = parseReference(textIn(recordIn(metadataOf(app), 'runImage'), 'reference'));
    return reference.digest === undefined ? undefined : reference;
  } catch {
    return undefined;
  }
};

/**
 * Length of the old base in `app`, by the first of: the layers that the exporter says it added; the only place where the top layer leaves them
 * in the app; the old base itself, given its diffIDs; the last such place below the exporter's first layer. Throws UnsafeRebaseError when none
 * of them can tell.
 */
export const baseLength = (app: OciImage, oldBase?: readonly string[]): number => {
  const { diffIds, added, counted, candidates, top } = knownOf(app);
  const [only, another] = candidates;
  if (only === undefined)
    throw new UnsafeRebaseError(
      'could not find base layer in image below the layers that its label says are the app’s',
    );
  if (counted !== undefined) return counted;
  if (another === undefined) return only;
  if (oldBase !== undefined) {
    const isBelow = oldBase.every((diffId, index) => diffIds[index] === diffId);
    if (isBelow && candidates.includes(oldBase.length)) return oldBase.length;
    throw new UnsafeRebaseError('its layers do not begin with those of the run image that its label names');
  }
  const last = candidates.at(-1);
  // An extension's layer, or one of the exporter's, may be equal to the base's last.
  const isTold = added.size > 0 && !added.has(top) && !mayHaveExtensionLayers(app);
  if (last !== undefined && isTold) return last;
  throw new UnsafeRebaseError(
    `the layer ${top}, the last of its old run image, is in it ${candidates.length} times, and the old run image cannot be read to tell which is meant`,
  );
};
