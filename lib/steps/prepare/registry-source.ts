/** Source from the layers of an image in a registry (spec 03 §10.4). */
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { PermanentError } from '../../errors/expected.ts';
import type { RegistryOptions } from '../../oci/api.ts';
import { openRegistry } from '../../oci/client.ts';
import { hexOf } from '../../oci/digest.ts';
import { type OciImage, readImage } from '../../oci/image.ts';
import { parseReference, printRepository } from '../../oci/reference.ts';
import type { BlobName, Registry } from '../../oci/registry.ts';
import { type LayerFile, unpackLayer } from '../archive/layers.ts';
import { ExtractionBudget } from '../archive/limits.ts';
import type { Skipped } from '../archive/tar.ts';
import { Tree } from '../archive/tree.ts';
import { archiveKind, filled, layerKind, unpackArchive } from '../archive/unpack.ts';
import { writeProjectMetadata } from './project-metadata.ts';
import { type SourceContext, tellLeftOut } from './source.ts';

/** Label that says that the one layer holds one archive, and of which kind. */
const contentTypeLabel = 'source.contenttype.kpack.io';

/** Largest source layer we accept, in bytes compressed. */
const limitBytes = 8 * 1024 ** 3;

/** Unpacks into the workspace and records repository and digest. @throws PermanentError, OciError */
export async function fetchRegistryImage(
  image: string,
  context: SourceContext,
  options: RegistryOptions,
): Promise<void> {
  context.log(`Pulling ${image}...`);
  const registry = openRegistry(options);
  const found = await readImage(registry, parseReference(image), { signal: context.signal });
  const kind = found.labels[contentTypeLabel];
  const compressedBytes = found.layers.reduce((total, { size }) => total + size, 0);
  if (compressedBytes > limitBytes) throw new PermanentError('', `${image} is larger than ${limitBytes} bytes`);
  const budget = new ExtractionBudget(compressedBytes);
  const pulled = { registry, image: found, scratch: context.scratch, budget };
  const skipped = isArchiveLabel(kind)
    ? await unpackInner(pulled, kind, context.workspace)
    : await filled(new Tree(context.workspace, budget), (tree) => unpackLayers(pulled, tree));
  tellLeftOut(skipped, context.log);
  await writeProjectMetadata(context.metadataDir, {
    type: 'image',
    metadata: { image: printRepository(found.reference) },
    version: { digest: found.reference.digest },
  });
  context.fetched?.({ type: 'image', id: hexOf(found.reference.digest) });
  context.log(`Successfully pulled ${image} in path "${context.workspace}"`);
}

type ArchiveLabel = 'zip' | 'jar' | 'war' | 'tar' | 'tar.gz';

function isArchiveLabel(text: string | undefined): text is ArchiveLabel {
  return text !== undefined && ['zip', 'jar', 'war', 'tar', 'tar.gz'].includes(text);
}

interface Pulled {
  readonly registry: Registry;
  readonly image: OciImage;
  /** For files that are gone when the step ends. */
  readonly scratch: string;
  readonly budget: ExtractionBudget;
}

/** One after the other, from the lowest on: each is on disk whole, and is what its digest says, before anything of it is unpacked. */
async function unpackLayers(pulled: Pulled, tree: Tree): Promise<Skipped> {
  let skipped = 0;
  for (const [index, layer] of pulled.image.layers.entries()) {
    const file = await savedLayer(pulled, layer);
    skipped += (await unpackLayer(file, tree, index === 0)).skipped;
    await rm(file.file);
  }
  return { skipped };
}

/** The one file in the one layer is the source archive. */
async function unpackInner(pulled: Pulled, kind: ArchiveLabel, into: string): Promise<Skipped> {
  const [layer, ...others] = pulled.image.layers;
  if (layer === undefined || others.length > 0)
    throw new PermanentError('', 'expected image to have exactly one layer');
  const folder = join(pulled.scratch, 'inner');
  await mkdir(folder);
  await unpackLayer(await savedLayer(pulled, layer), new Tree(folder, pulled.budget), true);
  const [entry, ...rest] = await readdir(folder, { withFileTypes: true, encoding: 'buffer' });
  if (entry === undefined || rest.length > 0) throw new PermanentError('', 'expected layer to have exactly one file');
  // Whatever bytes its name has.
  const file = join(pulled.scratch, 'archive');
  await rename(Buffer.concat([Buffer.from(`${folder}/`), entry.name]), file);
  const wanted = kind === 'tar' || kind === 'tar.gz' ? 'tar' : 'zip';
  const notAsSaid = new PermanentError('', `expected file '${entry.name.toString()}' to be a ${wanted} archive`);
  if (!entry.isFile()) throw notAsSaid;
  const found = await archiveKind(file).catch(() => undefined);
  if (found === undefined || (found === 'zip') !== (wanted === 'zip')) throw notAsSaid;
  return await unpackArchive(file, found, { into });
}

/** Layers are compressed or not; the first bytes tell, media types of old registries do not. */
async function savedLayer({ registry, image, scratch }: Pulled, layer: BlobName): Promise<LayerFile> {
  const file = join(scratch, 'layer');
  await pipeline(registry.openBlob(image.reference, layer), createWriteStream(file, { mode: 0o600 }));
  return { file, kind: await layerKind(file, layer.digest) };
}
