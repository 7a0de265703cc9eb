/**
 * Labels of an object that we keep like another one's: what others put there stays, and what we put there goes when it is no longer wanted. Whose a
 * label is the API server knows (`metadata.managedFields`, Kubernetes API, "Field Management"); without that word nothing is taken away. Pure.
 */
import type { KubeObject } from './object.ts';

/** What the API server calls us: the beginning of our User-Agent, where no field manager is named. */
const ourselves = 'kpackless';

type Labels = Readonly<Record<string, string>>;

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Names of the labels that an entry of `managedFields` speaks of. */
const labelsIn = (fields: unknown): readonly string[] => {
  const metadata = isRecord(fields) ? fields['f:metadata'] : undefined;
  const labels = isRecord(metadata) ? metadata['f:labels'] : undefined;
  return isRecord(labels)
    ? Object.keys(labels).flatMap((field) => (field.startsWith('f:') ? [field.slice('f:'.length)] : []))
    : [];
};

/** Labels that we put there and nobody else has written since. */
const ours = ({ metadata }: KubeObject): ReadonlySet<string> => {
  const entries: unknown = (metadata as { readonly managedFields?: unknown } | undefined)?.managedFields;
  const written = (Array.isArray(entries) ? entries : []).filter(isRecord).map(({ manager, fieldsV1 }) => ({
    isOurs: manager === ourselves,
    labels: labelsIn(fieldsV1),
  }));
  const others = new Set(written.filter(({ isOurs }) => !isOurs).flatMap(({ labels }) => labels));
  return new Set(written.filter(({ isOurs }) => isOurs).flatMap(({ labels }) => labels)).difference(others);
};

/** The labels that `object` is to have where it should have `wanted`; undefined for none. */
export const mergedLabels = (object: KubeObject, wanted: Labels = {}): Labels | undefined => {
  const own = ours(object);
  const kept = Object.entries(object.metadata?.labels ?? {}).filter(([name]) => !own.has(name));
  const merged = { ...Object.fromEntries(kept), ...wanted };
  return Object.keys(merged).length === 0 ? undefined : merged;
};
