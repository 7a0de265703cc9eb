/** What the packages of a builder's buildpacks say of their targets: statuses do not carry it, as kpack's do not. */
import { mapBounded } from '../buildpacks/bounded.ts';
import { fetchImage } from '../buildpacks/fetch-image.ts';
import type { Offer } from '../buildpacks/offers.ts';
import type { ReadableImage } from '../buildpacks/readable-image.ts';
import { nameOf } from '../buildpacks/store-reader.ts';
import { type Target, targetsIn, targetsKey } from '../buildpacks/targets.ts';
import { ExpectedError } from '../errors/expected.ts';
import type { ImageAccess } from './parts.ts';

/** Targets by `id@version`; none for what nothing is known of. */
export type BuildpackTargets = ReadonlyMap<string, readonly Target[]>;

/** What is known, for the life of a process: targets are in the buildpack's layer too, so equal diffIDs have equal ones. */
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

/** Of packages that are there already. Throws PermanentError when a label is malformed. */
export const targetsInPackages = (offers: readonly Offer[], packages: readonly ReadableImage[]): BuildpackTargets => {
  const all = new Map(packages.flatMap((content) => [...targetsIn(content)]));
  return new Map(offers.map(({ buildpack }) => [nameOf(buildpack), all.get(targetsKey(buildpack)) ?? []] as const));
};

/** A package that was deleted, broken, or may no longer be read, does not stop a builder whose layers are all there: kpack would make it. */
const readable = async (
  image: string,
  { account }: Offer,
  { registryFor, configs, signal }: ImageAccess,
): Promise<readonly ReadableImage[]> => {
  try {
    return [await fetchImage(await registryFor(account), image, configs, { signal })];
  } catch (error) {
    if (error instanceof ExpectedError && error.pace === 'slow') return [];
    throw error;
  }
};

/** Reads each package once that the memory does not know. Throws OciError when a registry does not answer, PermanentError for malformed labels. */
export const readTargets = async (
  offers: readonly Offer[],
  memory: TargetsMemory,
  access: ImageAccess,
): Promise<BuildpackTargets> => {
  const keyOf = ({ buildpack }: Offer): string => targetsKey(buildpack);
  const unknown = new Map(
    offers
      .filter((offer) => memory.get(keyOf(offer)) === undefined && (offer.buildpack.order ?? []).length === 0)
      .map((offer) => [offer.buildpack.storeImage?.image ?? '', offer] as const),
  );
  const packages = await mapBounded([...unknown], readsAtOnce, ([image, offer]) => readable(image, offer, access));
  for (const content of packages.flat()) for (const [key, targets] of targetsIn(content)) memory.put(key, targets);
  return new Map(offers.map((offer) => [nameOf(offer.buildpack), memory.get(keyOf(offer)) ?? []] as const));
};
