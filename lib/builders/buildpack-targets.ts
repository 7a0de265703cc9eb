/** What the packages of a builder's buildpacks say of their targets: statuses do not carry it, as kpack's do not. */
import { mapBounded } from '../buildpacks/bounded.ts';
import { fetchImage } from '../buildpacks/fetch-image.ts';
import type { Offer } from '../buildpacks/offers.ts';
import type { ReadableImage } from '../buildpacks/readable-image.ts';
import { nameOf } from '../buildpacks/store-reader.ts';
import { type Target, targetsIn, targetsKey } from '../buildpacks/targets.ts';
import { ExpectedError } from '../errors/expected.ts';
import type { Registry } from '../oci/registry.ts';
import type { ImageAccess } from './image-access.ts';

/** Targets by `id@version`; none for what nothing is known of. */
export type BuildpackTargets = ReadonlyMap<string, readonly Target[]>;

/** What is known, for the life of a process, by package and `targetsKey`: what another package says of the same buildpack is its maker's word. */
export interface TargetsMemory {
  readonly get: (key: string) => readonly Target[] | undefined;
  readonly put: (key: string, targets: readonly Target[]) => void;
}

/** An empty memory of at most `limit` buildpacks, the oldest forgotten first. */
export const targetsMemory = (limit = 10_000): TargetsMemory => {
  const known = new Map<string, readonly Target[]>();
  return {
    get: (key) => known.get(key),
    put: (key, targets) => {
      known.delete(key);
      known.set(key, targets);
      const [oldest] = known.keys();
      if (known.size > limit && oldest !== undefined) known.delete(oldest);
    },
  };
};

const readsAtOnce = 4;

const imageOf = ({ buildpack }: Offer): string => buildpack.storeImage?.image ?? '';
const keyIn = (image: string, key: string): string => `${image} ${key}`;
/** What another may have read is not known to this one. */
const readBy = (reader: string, key: string): string => `${reader} ${key}`;
const keyOf = (offer: Offer): string => keyIn(imageOf(offer), targetsKey(offer.buildpack));

const byName = (offers: readonly Offer[], known: (key: string) => readonly Target[] | undefined): BuildpackTargets =>
  new Map(offers.map((offer) => [nameOf(offer.buildpack), known(keyOf(offer)) ?? []] as const));

/** Of packages that are there already, by the names they were read under. Throws PermanentError when a label is malformed. */
export const targetsInPackages = (
  offers: readonly Offer[],
  packages: readonly { readonly name: string; readonly image: ReadableImage }[],
): BuildpackTargets => {
  const all = new Map(
    packages.flatMap(({ name, image }) =>
      [...targetsIn(image)].map(([key, targets]) => [keyIn(name, key), targets] as const),
    ),
  );
  return byName(offers, (key) => all.get(key));
};

/** A package that was deleted, broken, or may no longer be read, does not stop a builder whose layers are all there: kpack would make it. */
const readable = async (
  image: string,
  registry: Registry,
  { configs, signal }: ImageAccess,
): Promise<readonly ReadableImage[]> => {
  try {
    return [await fetchImage(registry, image, configs, { signal })];
  } catch (error) {
    if (error instanceof ExpectedError && error.pace === 'slow') return [];
    throw error;
  }
};

/**
 * Reads each package once that the memory does not know, which remembers for each reader alone. Throws OciError when a registry does not answer,
 * PermanentError for malformed labels.
 */
export const readTargets = async (
  offers: readonly Offer[],
  memory: TargetsMemory,
  access: ImageAccess,
): Promise<BuildpackTargets> => {
  const read = new Map<string, readonly Target[]>();
  const wanted = await mapBounded(offers, readsAtOnce, async (offer) => {
    const registry = await access.registryFor(offer.account);
    const known = registry.reader === undefined ? undefined : memory.get(readBy(registry.reader, keyOf(offer)));
    if (known !== undefined) read.set(keyOf(offer), known);
    return { offer, registry, known: known !== undefined || (offer.buildpack.order ?? []).length > 0 };
  });
  const unknown = new Map(
    wanted.filter(({ known }) => !known).map(({ offer, registry }) => [imageOf(offer), registry] as const),
  );
  await mapBounded([...unknown], readsAtOnce, async ([image, registry]) => {
    for (const content of await readable(image, registry, access))
      for (const [key, targets] of targetsIn(content)) {
        read.set(keyIn(image, key), targets);
        if (registry.reader !== undefined) memory.put(readBy(registry.reader, keyIn(image, key)), targets);
      }
  });
  return byName(offers, (key) => read.get(key));
};
