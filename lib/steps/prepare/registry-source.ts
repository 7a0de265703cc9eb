/** Source from the layers of an image in a registry (spec 03 §10.4). */
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { PermanentError } from '../../errors/expected.ts';
import type { RegistryOptions } from '../../oci/api.ts';
import { openRegistry } from '../../oci/client.ts';
import { hexOf } from '../../oci/digest.ts';
import { type OciImage, readImage } from '../../oci/image.ts';
import { parseReference, printRepository, type Repository } from '../../oci/reference.ts';
import type { BlobName, Registry } from '../../oci/registry.ts';
import { ExtractionBudget } from '../archive/limits.ts';
import { unpackTar } from '../archive/tar.ts';
import { Tree } from '../archive/tree.ts';
import { archiveKind, unpackArchive } from '../archive/unpack.ts';
import { writeProjectMetadata } from './project-metadata.ts';
import type { SourceContext } from './source.ts';

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
  if (isArchiveLabel(kind)) {
    const folder = join(context.scratch, 'layer');
    await mkdir(folder);
    await unpackInner(registry, found, { folder, budget, into: context.workspace, kind });
  } else {
    const tree = new Tree(context.workspace, budget);
    for (const layer of found.layers) await unpackTar(layerBytes(registry, found.reference, layer), tree, 0);
  }
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

interface Inner {
  readonly folder: string;
  readonly budget: ExtractionBudget;
  readonly into: string;
  readonly kind: ArchiveLabel;
}

/** The one file in the one layer is the source archive. */
async function unpackInner(registry: Registry, image: OciImage, { folder, budget, into, kind }: Inner): Promise<void> {
  const [layer, ...others] = image.layers;
  if (layer === undefined || others.length > 0)
    throw new PermanentError('', 'expected image to have exactly one layer');
  await unpackTar(layerBytes(registry, image.reference, layer), new Tree(folder, budget), 0);
  const [entry, ...rest] = await readdir(folder, { withFileTypes: true });
  if (entry === undefined || rest.length > 0) throw new PermanentError('', 'expected layer to have exactly one file');
  const file = join(folder, entry.name);
  const wanted = kind === 'tar' || kind === 'tar.gz' ? 'tar' : 'zip';
  const notAsSaid = new PermanentError('', `expected file '${entry.name}' to be a ${wanted} archive`);
  if (!entry.isFile()) throw notAsSaid;
  const found = await archiveKind(file).catch(() => undefined);
  if (found === undefined || (found === 'zip') !== (wanted === 'zip')) throw notAsSaid;
  await unpackArchive(file, found, { into });
}

/** Layers are compressed or not; the first bytes tell, media types of old registries do not. */
async function* layerBytes(registry: Registry, repository: Repository, layer: BlobName): AsyncGenerator<Uint8Array> {
  const bytes = registry.openBlob(repository, layer)[Symbol.asyncIterator]();
  const first = await bytes.next();
  if (first.done === true) return;
  const whole = (async function* (): AsyncGenerator<Uint8Array> {
    yield first.value;
    for (let next = await bytes.next(); next.done !== true; next = await bytes.next()) yield next.value;
  })();
  if (first.value[0] !== 0x1f || first.value[1] !== 0x8b) {
    yield* whole;
    return;
  }
  const source = Readable.from(whole, { objectMode: false });
  const gunzip = createGunzip();
  source.on('error', (error) => gunzip.destroy(error));
  yield* source.pipe(gunzip);
}
