/**
 * Tar archives as kpack writes them: USTAR headers, no 10 KiB blocking, nothing that depends on the clock (spec 04 §8.5). Written by
 * hand, as the digest of a builder hangs on every byte. Ids above 2097151 go into a PAX header, as Go's archive/tar does.
 */

/** A directory or a file of a layer. */
export interface TarEntry {
  /** Absolute, without a trailing slash; at most 100 bytes. */
  readonly path: string;
  readonly uid?: number;
  readonly gid?: number;
  /** Content of a file; absent for a directory. */
  readonly content?: Uint8Array;
}

const blockBytes = 512;
/** 1980-01-01T00:00:01Z: the time of everything in a reproducible layer. */
const layerTimeSeconds = 315532801;
/** The largest id seven octal digits hold. */
const largestUstarId = 0o7777777;

const encoder = new TextEncoder();

interface Header {
  readonly name: string;
  readonly type: '0' | '5' | 'x';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtimeSeconds: number;
  /** `0000000` in the device fields, which Go leaves empty in PAX headers. */
  readonly devices: boolean;
}

const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, '0')}\0`;

const headerBlock = ({ name, type, mode, uid, gid, size, mtimeSeconds, devices }: Header): Uint8Array => {
  const block = new Uint8Array(blockBytes);
  const put = (offset: number, text: string): void => block.set(encoder.encode(text), offset);
  const encodedName = encoder.encode(name);
  if (encodedName.length > 100) throw new Error(`tar entry name ${name} is longer than 100 bytes`);
  block.set(encodedName, 0);
  put(100, octal(mode, 7));
  put(108, octal(uid, 7));
  put(116, octal(gid, 7));
  put(124, octal(size, 11));
  put(136, octal(mtimeSeconds, 11));
  put(148, ' '.repeat(8));
  put(156, type);
  put(257, 'ustar\u000000');
  if (devices) put(329, octal(0, 7) + octal(0, 7));
  const checksum = block.reduce((sum, byte) => sum + byte, 0);
  put(148, `${checksum.toString(8).padStart(6, '0')}\0 `);
  return block;
};

/** Content padded with zeros to whole blocks. */
const padded = (content: Uint8Array): Uint8Array => {
  const block = new Uint8Array(Math.ceil(content.length / blockBytes) * blockBytes);
  block.set(content);
  return block;
};

/** `LENGTH KEY=VALUE\n`, where the length counts its own digits. */
const paxRecord = (key: string, value: number): string => {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length;
  while (length !== rest.length + String(length).length) length = rest.length + String(length).length;
  return `${length}${rest}`;
};

const paxBlocks = (
  path: string,
  { uid, gid }: { readonly uid: number; readonly gid: number },
): readonly Uint8Array[] => {
  const records =
    (gid > largestUstarId ? paxRecord('gid', gid) : '') + (uid > largestUstarId ? paxRecord('uid', uid) : '');
  if (records === '') return [];
  const slash = path.lastIndexOf('/');
  const name = `${path.slice(0, slash)}/PaxHeaders.0/${path.slice(slash + 1)}`;
  const content = encoder.encode(records);
  const header = {
    name,
    type: 'x',
    mode: 0,
    uid: 0,
    gid: 0,
    size: content.length,
    mtimeSeconds: 0,
    devices: false,
  } as const;
  return [headerBlock(header), padded(content)];
};

const fitting = (id: number): number => (id > largestUstarId ? 0 : id);

const entryBlocks = ({ path, uid = 0, gid = 0, content }: TarEntry): readonly Uint8Array[] => {
  const header = headerBlock({
    name: path,
    type: content === undefined ? '5' : '0',
    mode: content === undefined ? 0o755 : 0o644,
    uid: fitting(uid),
    gid: fitting(gid),
    size: content?.length ?? 0,
    mtimeSeconds: layerTimeSeconds,
    devices: true,
  });
  return [...paxBlocks(path, { uid, gid }), header, ...(content === undefined ? [] : [padded(content)])];
};

/** The archive of these entries, in this order, closed by two zero blocks. */
export const tarOf = (entries: readonly TarEntry[]): Uint8Array =>
  Buffer.concat([...entries.flatMap(entryBlocks), new Uint8Array(2 * blockBytes)]);
