/** Applies a JSON patch (RFC 6902: add, replace, remove), as admission webhooks answer with. */

/** One operation of a patch. */
export interface PatchOperation {
  readonly op: 'add' | 'replace' | 'remove';
  readonly path: string;
  readonly value?: unknown;
}

type Holder = Record<string, unknown>;
const isHolder = (input: unknown): input is Holder => typeof input === 'object' && input !== null;

const applyOne = (document: unknown, { op, path, value }: PatchOperation): void => {
  const keys = path
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
  const last = keys.pop() ?? '';
  let holder = document;
  for (const key of keys) holder = isHolder(holder) ? holder[key] : undefined;
  if (!isHolder(holder)) throw new Error(`nothing to patch at ${path}`);
  if (Array.isArray(holder) && op !== 'replace') {
    const index = last === '-' ? holder.length : Number(last);
    if (op === 'add') holder.splice(index, 0, value);
    else holder.splice(index, 1);
  } else if (op === 'remove') {
    delete holder[last];
  } else {
    holder[last] = value;
  }
};

/** The document after the patch; the one given stays as it is. */
export const patched = (document: unknown, patch: readonly PatchOperation[]): unknown => {
  const copy: unknown = structuredClone(document);
  for (const operation of patch) applyOne(copy, operation);
  return copy;
};
