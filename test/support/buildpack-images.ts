/** Puts small Docker images with buildpack labels into a fake registry. */
import { gzipSync } from 'node:zlib';
import { dockerConfigType, dockerIndexType, dockerLayerType, dockerManifestType } from '../../lib/oci/media-types.ts';
import type { FakeRegistry } from './fake-registry.ts';
import { sha256 } from './fake-registry-store.ts';

/** What the image has; a test names only what matters. */
export interface ImageContent {
  readonly labels?: Readonly<Record<string, string>>;
  readonly env?: readonly string[];
  /** One layer each. */
  readonly layers?: readonly string[];
  readonly architecture?: string;
  readonly os?: string;
}

/** diffID of a layer with this text. */
export const diffIdOf = (layer: string): string => sha256(Buffer.from(layer));

/** Stores a Docker image as `repository:tag` and answers its digest. */
export const storeDockerImage = ({ store }: FakeRegistry, name: string, content: ImageContent = {}): string => {
  const { labels = {}, env = [], layers = [], architecture = 'amd64', os = 'linux' } = content;
  const [repository = '', tag = ''] = name.split(':');
  const blob = (bytes: Uint8Array, mediaType: string) => ({
    mediaType,
    size: bytes.byteLength,
    digest: store.putBlob(repository, bytes),
  });
  const config = {
    architecture,
    os,
    config: { Labels: labels, Env: env },
    rootfs: { type: 'layers', diff_ids: layers.map(diffIdOf) },
  };
  const manifest = {
    schemaVersion: 2,
    mediaType: dockerManifestType,
    config: blob(Buffer.from(JSON.stringify(config)), dockerConfigType),
    layers: layers.map((layer) => blob(gzipSync(layer), dockerLayerType)),
  };
  return store.putManifest(repository, dockerManifestType, Buffer.from(JSON.stringify(manifest)), tag);
};

/** Labels of a buildpackage image whose only layer is `layer`. */
const buildpackageLabels = (
  name: string,
  layer: string,
  over: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, string>> => {
  const [id = '', version = ''] = name.split('@');
  const entry = { api: '0.10', layerDiffID: diffIdOf(layer), stacks: [{ id: '*' }], ...over };
  return {
    'io.buildpacks.buildpackage.metadata': JSON.stringify({ id, version }),
    'io.buildpacks.buildpack.layers': JSON.stringify({ [id]: { [version]: entry } }),
  };
};

/** Stores a buildpackage with one buildpack `id@version`, whose layer holds `layer`. */
export const storeBuildpackage = (
  registry: FakeRegistry,
  image: string,
  name: string,
  layer = name,
  over: Readonly<Record<string, unknown>> = {},
  architecture = 'amd64',
): string =>
  storeDockerImage(registry, image, { labels: buildpackageLabels(name, layer, over), layers: [layer], architecture });

/** Stores a package of the image extension `id@version` alone, whose layer holds `layer`. */
export const storeExtension = (
  registry: FakeRegistry,
  image: string,
  name: string,
  layer = `extension ${name}`,
  over: Readonly<Record<string, unknown>> = {},
): string => {
  const [id = '', version = ''] = name.split('@');
  const entry = { api: '0.10', layerDiffID: diffIdOf(layer), ...over };
  return storeDockerImage(registry, image, {
    labels: {
      'io.buildpacks.buildpackage.metadata': JSON.stringify({ id, version }),
      'io.buildpacks.extension.layers': JSON.stringify({ [id]: { [version]: entry } }),
    },
    layers: [layer],
  });
};

/** Labels of a lifecycle image. */
export const lifecycleLabels: Readonly<Record<string, string>> = {
  'io.buildpacks.builder.metadata': '{"lifecycle":{"version":"0.21.0"},"api":{"buildpack":"0.7","platform":"0.7"}}',
  'io.buildpacks.lifecycle.apis':
    '{"buildpack":{"deprecated":[],"supported":["0.7","0.10"]},"platform":{"deprecated":[],"supported":["0.7","0.8"]}}',
};

/** Stores an index `repository:tag` over images of that repository, by architecture, and answers its digest. */
export const storeIndex = (
  { store }: FakeRegistry,
  name: string,
  digests: Readonly<Record<string, string>>,
): string => {
  const [repository = '', tag = ''] = name.split(':');
  const manifests = Object.entries(digests).map(([architecture, digest]) => ({
    mediaType: dockerManifestType,
    size: store.repository(repository).manifests.get(digest)?.bytes.byteLength ?? 0,
    digest,
    platform: { architecture, os: 'linux' },
  }));
  const index = { schemaVersion: 2, mediaType: dockerIndexType, manifests };
  return store.putManifest(repository, dockerIndexType, Buffer.from(JSON.stringify(index)), tag);
};
