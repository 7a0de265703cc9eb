import { type Digest, digestOf } from '../../../lib/oci/digest.ts';
import { dockerConfigType, dockerLayerType, dockerManifestType } from '../../../lib/oci/media-types.ts';
import type { Layer } from './layer.ts';

/** What an image says of itself beside its layers. */
export interface ImageSettings {
  readonly labels?: Readonly<Record<string, string>>;
  /** `NAME=value`. */
  readonly env?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly user?: string;
  readonly workingDir?: string;
}

/** An image ready to push or load; the three parts hang together by digest. */
export interface LocalImage {
  /** Repository and tag without a host, as `build/base:1`. */
  readonly name: string;
  readonly manifest: Uint8Array;
  readonly digest: Digest;
  readonly config: Uint8Array;
  readonly layers: readonly Layer[];
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/** The machine's architecture as images name it. */
export const imageArchitecture = (arch: string = process.arch): string => ARCHITECTURES[arch] ?? arch;

/** Puts an image together; the dialect is Docker's schema 2, which is what builders are made of (spec 04 §7.2). */
export const makeImage = (name: string, layers: readonly Layer[], settings: ImageSettings): LocalImage => {
  const config = encode({
    architecture: imageArchitecture(),
    config: {
      Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', ...(settings.env ?? [])],
      ...(settings.entrypoint === undefined ? {} : { Entrypoint: settings.entrypoint }),
      ...(settings.labels === undefined ? {} : { Labels: settings.labels }),
      ...(settings.user === undefined ? {} : { User: settings.user }),
      ...(settings.workingDir === undefined ? {} : { WorkingDir: settings.workingDir }),
    },
    created: '1980-01-01T00:00:01Z',
    history: layers.map(() => ({ created: '1980-01-01T00:00:01Z' })),
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
  });
  const manifest = encode({
    schemaVersion: 2,
    mediaType: dockerManifestType,
    config: { mediaType: dockerConfigType, size: config.length, digest: digestOf(config) },
    layers: layers.map(({ digest, size }) => ({ mediaType: dockerLayerType, size, digest })),
  });
  return { name, manifest, digest: digestOf(manifest), config, layers };
};

const encode = (value: object): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
