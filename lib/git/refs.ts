/** The question "which refs do you have?" in git's wire protocol, version 2 with the older answer understood, whatever carries it. */
import { lineOf, linePacket, type Packet, PacketError, TruncatedError, writePacket } from './pkt-line.ts';

/** One ref of a repository. */
export interface GitRef {
  /** Full name: `HEAD`, `refs/heads/main`. */
  readonly name: string;
  /** Object id the ref holds, lower-case hex; for an annotated tag the id of the tag object. */
  readonly hash: string;
  /** For an annotated tag the id of the commit behind it. */
  readonly peeled?: string;
  /** For a symbolic ref the ref it points to. */
  readonly symrefTarget?: string;
}

/** What the host says first: either that it speaks version 2, or, being older, all its refs at once. */
export type Advertisement =
  | { readonly version: 2; readonly capabilities: ReadonlyMap<string, string> }
  | { readonly version: 1; readonly refs: readonly GitRef[] };

/** More refs than this are not a repository we can list: the answer ends in a PacketError. */
const MAX_REFS = 500_000;

/** Hosts offer a dozen. */
const MAX_CAPABILITIES = 1000;

type Packets = AsyncIterator<Packet, void, undefined>;

const OBJECT_ID = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/u;
const isNullId = (id: string): boolean => /^0+$/u.test(id);

/** Is this a full object id (SHA-1 or SHA-256, lower case)? */
export const isObjectId = (text: string): boolean => OBJECT_ID.test(text);

/** The host's own complaint, carried in the protocol as `ERR …`. */
export class RemoteComplaint extends Error {
  override readonly name = 'RemoteComplaint';
}

const textOf = (payload: Buffer): string => {
  const line = lineOf(payload);
  if (line.startsWith('ERR ')) throw new RemoteComplaint(line.slice(4));
  return line;
};

/** Lines up to the next flush. Delimiters inside are skipped; a stream that ends early is an error. */
async function* linesToFlush(packets: Packets): AsyncGenerator<string, void, undefined> {
  for (;;) {
    const next = await packets.next();
    if (next.done === true) throw new TruncatedError('the answer ends before its flush packet');
    if (next.value.kind === 'flush') return;
    if (next.value.kind === 'data') yield textOf(next.value.payload);
  }
}

const cutAt = (text: string, separator: string): readonly [string, string] => {
  const at = text.indexOf(separator);
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)];
};

const readCapabilities = async (lines: AsyncIterator<string>): Promise<ReadonlyMap<string, string>> => {
  const capabilities = new Map<string, string>();
  for (let next = await lines.next(); next.done !== true; next = await lines.next()) {
    const [name, value] = cutAt(next.value, '=');
    capabilities.set(name, value);
    if (capabilities.size > MAX_CAPABILITIES)
      throw new PacketError(`the answer offers more than ${MAX_CAPABILITIES} capabilities`);
  }
  return capabilities;
};

/** `HEAD:refs/heads/main` pairs from the capabilities of a version 0 or 1 answer. */
const symrefsOf = (capabilities: string): ReadonlyMap<string, string> =>
  new Map(
    capabilities
      .split(' ')
      .filter((word) => word.startsWith('symref='))
      .map((word): [string, string] => {
        const [name = '', target = ''] = word.slice('symref='.length).split(':');
        return [name, target];
      }),
  );

/** The refs of a version 0 or 1 answer, whose first line also carries the capabilities and whose tags are followed by `name^{}`. */
const readOldRefs = async (first: string, lines: AsyncIterator<string>): Promise<readonly GitRef[]> => {
  const [firstRef, capabilities] = cutAt(first, '\0');
  const symrefs = symrefsOf(capabilities);
  const refs = new Map<string, GitRef>();
  const take = (line: string): void => {
    const [hash, name] = cutAt(line, ' ');
    if (hash === 'shallow') return;
    if (!isObjectId(hash) || name === '') throw new PacketError('the answer holds a line that is no ref');
    if (isNullId(hash)) return;
    if (refs.size >= MAX_REFS) throw new PacketError(`the answer holds more than ${MAX_REFS} refs`);
    if (name.endsWith('^{}')) {
      const tag = refs.get(name.slice(0, -3));
      if (tag !== undefined) refs.set(tag.name, { ...tag, peeled: hash });
      return;
    }
    const target = symrefs.get(name);
    refs.set(name, { name, hash, ...(target === undefined ? {} : { symrefTarget: target }) });
  };
  take(firstRef);
  for (let next = await lines.next(); next.done !== true; next = await lines.next()) take(next.value);
  return [...refs.values()];
};

/**
 * Reads what the host says first, up to its flush. Over http a service line and a flush of their own may come before.
 * Fails with PacketError when it is not git's answer, with RemoteComplaint when the host says why not.
 * Source: gitprotocol-v2 "Initial Client Request", gitprotocol-pack "Reference Discovery".
 */
export const readAdvertisement = async (packets: Packets): Promise<Advertisement> => {
  let lines = linesToFlush(packets);
  let first = await lines.next();
  if (first.done !== true && first.value.startsWith('# service=')) {
    await lines.next();
    lines = linesToFlush(packets);
    first = await lines.next();
  }
  if (first.done === true) return { version: 1, refs: [] };
  if (first.value === 'version 2') return { version: 2, capabilities: await readCapabilities(lines) };
  if (first.value !== 'version 1') return { version: 1, refs: await readOldRefs(first.value, lines) };
  const second = await lines.next();
  return { version: 1, refs: second.done === true ? [] : await readOldRefs(second.value, lines) };
};

/** The v2 request for all refs that begin with one of the prefixes; no prefix asks for everything. */
export const lsRefsRequest = (prefixes: readonly string[], capabilities: ReadonlyMap<string, string>): Buffer => {
  if (!capabilities.has('ls-refs')) throw new PacketError('the host speaks version 2 but does not offer ls-refs');
  const format = capabilities.get('object-format');
  const packets: readonly Packet[] = [
    linePacket('command=ls-refs'),
    ...(format === undefined ? [] : [linePacket(`object-format=${format}`)]),
    { kind: 'delimiter' },
    linePacket('peel'),
    linePacket('symrefs'),
    ...prefixes.map((prefix) => linePacket(`ref-prefix ${prefix}`)),
    { kind: 'flush' },
  ];
  return Buffer.concat(packets.map(writePacket));
};

const readRef = (line: string): GitRef | undefined => {
  const [hash = '', name = '', ...attributes] = line.split(' ');
  if (hash === 'unborn') return undefined;
  if (!isObjectId(hash) || name === '') throw new PacketError('the answer holds a line that is no ref');
  const valueOf = (key: string): string | undefined =>
    attributes.find((attribute) => attribute.startsWith(`${key}:`))?.slice(key.length + 1);
  const peeled = valueOf('peeled');
  // What a host calls a commit is later given to git as an argument: nothing but an id may pass.
  if (peeled !== undefined && !isObjectId(peeled))
    throw new PacketError('the answer peels a tag to something that is no id');
  const symrefTarget = valueOf('symref-target');
  return {
    name,
    hash,
    ...(peeled === undefined ? {} : { peeled }),
    ...(symrefTarget === undefined ? {} : { symrefTarget }),
  };
};

/** Reads the answer to `lsRefsRequest`. An unborn HEAD (empty repository) is left out. */
export const readLsRefs = async (packets: Packets): Promise<readonly GitRef[]> => {
  const refs: GitRef[] = [];
  for await (const line of linesToFlush(packets)) {
    const ref = readRef(line);
    if (ref !== undefined) refs.push(ref);
    if (refs.length > MAX_REFS) throw new PacketError(`the answer holds more than ${MAX_REFS} refs`);
  }
  return refs;
};

/** Sorted, and none that begins with another: the only one a name can begin with is then the last that is not behind it. */
const withoutLonger = (prefixes: readonly string[]): readonly string[] => {
  const kept: string[] = [];
  for (const prefix of prefixes.toSorted((a, b) => (a < b ? -1 : 1))) {
    const before = kept.at(-1);
    if (before === undefined || !prefix.startsWith(before)) kept.push(prefix);
  }
  return kept;
};

const lastNotBehind = (sorted: readonly string[], name: string): string | undefined => {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? '') <= name) low = middle + 1;
    else high = middle;
  }
  return sorted[low - 1];
};

/** The refs that begin with one of the prefixes; a host may send more than was asked (gitprotocol-v2 "ls-refs"). */
export const withPrefixes = (refs: readonly GitRef[], prefixes: readonly string[]): readonly GitRef[] => {
  if (prefixes.length === 0) return refs;
  const sorted = withoutLonger(prefixes);
  return refs.filter(({ name }) => {
    const prefix = lastNotBehind(sorted, name);
    return prefix !== undefined && name.startsWith(prefix);
  });
};
