import { gunzipSync, gzipSync } from 'node:zlib';

import { packTar, type TarEntry } from 'modern-tar';

import { type Digest, digestOf } from '../../../lib/oci/digest.ts';

/** A file, folder or link of a layer. Owner is root unless said; times are always 0, so that the same content has the same digest. */
export interface LayerEntry {
  /** Without a leading slash. */
  readonly path: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Content of a file. Neither `content` nor `link`: a folder. */
  readonly content?: string | Uint8Array;
  /** Target of a symbolic link. */
  readonly link?: string;
}

/** A layer as a registry keeps it. */
export interface Layer {
  readonly digest: Digest;
  /** Digest of the uncompressed archive. */
  readonly diffId: Digest;
  /** Bytes of `blob`. */
  readonly size: number;
  /** The gzipped archive. */
  readonly blob: Uint8Array;
}

const EPOCH = new Date(0);

/** The entries, in the order given, as a layer: equal entries give equal bytes. */
export const makeLayer = async (entries: readonly LayerEntry[]): Promise<Layer> => {
  const tar = await packTar(entries.map(tarEntry));
  const blob = gzipSync(tar, { level: 6 });
  return { digest: digestOf(blob), diffId: digestOf(tar), size: blob.length, blob };
};

/** The uncompressed archive of a layer. */
export const layerTar = (layer: Layer): Uint8Array => gunzipSync(layer.blob);

/** A folder, owned by root and readable by all unless said otherwise. */
export const folder = (path: string, rest: Omit<LayerEntry, 'content' | 'link' | 'path'> = {}): LayerEntry => ({
  path,
  ...rest,
});

/** A program or script. */
export const executable = (path: string, content: string | Uint8Array): LayerEntry => ({ path, content, mode: 0o755 });

const tarEntry = (entry: LayerEntry): TarEntry => {
  const owner = { uid: entry.uid ?? 0, gid: entry.gid ?? 0, uname: '', gname: '', mtime: EPOCH };
  if (entry.link !== undefined)
    return { header: { name: entry.path, type: 'symlink', linkname: entry.link, size: 0, mode: 0o777, ...owner } };
  if (entry.content === undefined)
    return { header: { name: `${entry.path}/`, type: 'directory', size: 0, mode: entry.mode ?? 0o755, ...owner } };
  const body = typeof entry.content === 'string' ? new TextEncoder().encode(entry.content) : entry.content;
  return { header: { name: entry.path, type: 'file', size: body.length, mode: entry.mode ?? 0o644, ...owner }, body };
};
