/** An OCI image layout within a tar archive: images by the names `index.json` gives them (image-spec image-layout.md). */
import { readFileSync } from 'node:fs';
import { unpackTar } from 'modern-tar';
import type { FakeStore } from './fake-registry-store.ts';

/** The archive, read. */
export interface OciLayout {
  /** Manifest digests by name such as `g/a:1`. */
  readonly names: ReadonlyMap<string, { readonly digest: string; readonly mediaType: string }>;
  /** Throws when the archive lacks the blob. */
  readonly blob: (digest: string) => Uint8Array;
}

interface Manifest {
  readonly config: { readonly digest: string };
  readonly layers: readonly { readonly digest: string }[];
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** Reads the archive at `path`, whole: for archives of a few megabytes. */
export const readOciLayout = async (path: string): Promise<OciLayout> => {
  const entries = await unpackTar(readFileSync(path), { strict: true });
  const files = new Map(entries.map(({ header, data }) => [header.name.replace(/^\.\//, ''), data]));
  const index = JSON.parse(text(files.get('index.json') ?? new Uint8Array())) as {
    readonly manifests: readonly {
      readonly digest: string;
      readonly mediaType: string;
      readonly annotations: Readonly<Record<string, string>>;
    }[];
  };
  return {
    names: new Map(
      index.manifests.map((entry) => [entry.annotations['org.opencontainers.image.ref.name'] ?? '', entry]),
    ),
    blob: (digest) => {
      const bytes = files.get(`blobs/sha256/${digest.slice('sha256:'.length)}`);
      if (bytes === undefined) throw new Error(`${path} lacks the blob ${digest}`);
      return bytes;
    },
  };
};

/** Puts the image called `name` (`repository:tag`) into a fake registry. */
export const loadImage = (store: FakeStore, layout: OciLayout, name: string): void => {
  const found = layout.names.get(name);
  if (found === undefined) throw new Error(`the layout has no image ${name}`);
  const [repository = '', tag = ''] = name.split(':');
  const bytes = layout.blob(found.digest);
  const { config, layers } = JSON.parse(text(bytes)) as Manifest;
  for (const { digest } of [config, ...layers]) store.putBlob(repository, layout.blob(digest));
  store.putManifest(repository, found.mediaType, bytes, tag);
};
