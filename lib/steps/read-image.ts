/** Manifest and configuration of one image for one platform, as far as the steps look at them (image-spec manifest, config). */

import { type Digest, isDigest } from '../oci/digest.ts';
import { invalidContent } from '../oci/errors.ts';
import { isIndexType } from '../oci/media-types.ts';
import { type Reference, type Repository, repositoryOf, withDigest } from '../oci/reference.ts';
import type { BlobName, CallOptions, RawManifest, Registry } from '../oci/registry.ts';

export interface ReadImage {
  readonly repository: Repository;
  /** Of the platform's manifest. */
  readonly digest: Digest;
  readonly layers: readonly BlobName[];
  readonly labels: Readonly<Record<string, string>>;
}

const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/** The image, or of an index the child for Linux on this machine's architecture. @throws OciError */
export async function openImage(registry: Registry, reference: Reference, call: CallOptions): Promise<ReadImage> {
  const repository = repositoryOf(reference);
  const manifest = await platformManifest(registry, reference, call);
  const body = jsonOf(manifest.bytes);
  const config = jsonOf(await registry.readBlob(repository, blobFrom(objectAt(body, 'config')), call));
  const labels = Object.entries(objectAt(objectAt(config, 'config'), 'Labels'));
  return {
    repository,
    digest: manifest.digest,
    layers: listAt(body, 'layers').map(blobFrom),
    labels: Object.fromEntries(labels.filter((pair): pair is [string, string] => typeof pair[1] === 'string')),
  };
}

async function platformManifest(registry: Registry, reference: Reference, call: CallOptions): Promise<RawManifest> {
  const manifest = await registry.getManifest(reference, call);
  if (!isIndexType(manifest.mediaType)) return manifest;
  const architecture = architectures[process.arch] ?? process.arch;
  const child = listAt(jsonOf(manifest.bytes), 'manifests').find((entry) => {
    const platform = objectAt(entry, 'platform');
    return platform['os'] === 'linux' && platform['architecture'] === architecture;
  });
  if (child === undefined) throw invalidContent(`the image index has no linux/${architecture} image`);
  return await registry.getManifest(withDigest(reference, blobFrom(child).digest), call);
}

type JsonObject = Readonly<Record<string, unknown>>;

function jsonOf(bytes: Uint8Array): JsonObject {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return isObject(value) ? value : {};
  } catch (cause) {
    throw invalidContent('a manifest or configuration is not JSON', { cause });
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function objectAt(value: unknown, key: string): JsonObject {
  const found = isObject(value) ? value[key] : undefined;
  return isObject(found) ? found : {};
}

function listAt(value: JsonObject, key: string): readonly unknown[] {
  const found = value[key];
  return Array.isArray(found) ? found : [];
}

function blobFrom(value: unknown): BlobName {
  const { digest, size } = isObject(value) ? value : {};
  if (!isDigest(digest) || typeof size !== 'number') throw invalidContent('a descriptor has no digest or size');
  return { digest, size };
}
