/** Writes a list of entries as one reproducible gzip'd tar layer: sorted, no times, no owner names, one compressor. */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, stat } from 'node:fs/promises';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { createTarPacker, type TarHeader, type TarPackController } from 'modern-tar';

/** One path of the image, without leading slash. Owner is 0 unless said. */
export type LayerEntry = { readonly path: string; readonly owner?: number } & (
  | { readonly kind: 'directory'; readonly mode?: number }
  | { readonly kind: 'file'; readonly mode?: number; readonly from: string }
  | { readonly kind: 'file'; readonly mode?: number; readonly content: string }
  | { readonly kind: 'symlink'; readonly target: string }
);

/** A layer on disk, as an image manifest describes it. */
export interface BuiltLayer {
  readonly path: string;
  /** Digest of the compressed bytes. */
  readonly digest: string;
  /** Digest of the uncompressed tar. */
  readonly diffId: string;
  /** Bytes, compressed. */
  readonly size: number;
  readonly mediaType: string;
}

const layerMediaType = 'application/vnd.oci.image.layer.v1.tar+gzip';

/** Every layer entry carries this time, so that two builds are byte-identical. */
const epoch = new Date(0);

/** Writes the layer at `path`; a half-written file never has that name. */
export async function writeLayer(path: string, entries: readonly LayerEntry[]): Promise<BuiltLayer> {
  const { readable, controller } = createTarPacker();
  const tar = createHash('sha256');
  const compressed = createHash('sha256');
  const partial = `${path}.${process.pid}.partial`;
  const written = pipeline(
    Readable.fromWeb(readable),
    hashing(tar),
    createGzip({ level: 6 }),
    hashing(compressed),
    createWriteStream(partial),
  );
  const packed = pack(controller, entries).catch((error: unknown) => {
    controller.error(error);
    throw error;
  });
  await Promise.all([written, packed]);
  await rename(partial, path);
  return {
    path,
    digest: `sha256:${compressed.digest('hex')}`,
    diffId: `sha256:${tar.digest('hex')}`,
    size: (await stat(path)).size,
    mediaType: layerMediaType,
  };
}

async function pack(controller: TarPackController, entries: readonly LayerEntry[]): Promise<void> {
  const sorted = [...entries].sort((a, b) => (a.path < b.path ? -1 : 1));
  for (const entry of sorted) {
    if (entry.kind === 'file') await packFile(controller, entry);
    else await controller.add(headerOf(entry, 0)).close();
  }
  controller.finalize();
}

async function packFile(controller: TarPackController, entry: LayerEntry & { readonly kind: 'file' }): Promise<void> {
  const size = 'from' in entry ? (await stat(entry.from)).size : Buffer.byteLength(entry.content);
  const writer = controller.add(headerOf(entry, size)).getWriter();
  if ('from' in entry) {
    for await (const chunk of createReadStream(entry.from, { highWaterMark: 1 << 20 })) {
      await writer.write(new Uint8Array(chunk as Buffer));
    }
  } else if (size > 0) {
    await writer.write(new TextEncoder().encode(entry.content));
  }
  await writer.close();
}

function headerOf(entry: LayerEntry, size: number): TarHeader {
  const owner = { uid: entry.owner ?? 0, gid: entry.owner ?? 0, uname: '', gname: '', mtime: epoch };
  if (entry.kind === 'directory') {
    return { ...owner, name: `${entry.path}/`, type: 'directory', size: 0, mode: entry.mode ?? 0o755 };
  }
  if (entry.kind === 'symlink') {
    return { ...owner, name: entry.path, type: 'symlink', size: 0, mode: 0o777, linkname: entry.target };
  }
  return { ...owner, name: entry.path, type: 'file', size, mode: entry.mode ?? 0o644 };
}

function hashing(hash: ReturnType<typeof createHash>): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
}
