/** A builder's whole order: every version filled in, and every buildpack that must be in the image, nested ones too (spec 04 §7.2). */
import type { BuilderOrderEntry } from '../api/order.ts';
import { PermanentError } from '../errors/expected.ts';
import { bytewise } from '../text/bytewise.ts';
import type { Catalogue, Offer } from './offers.ts';
import { resolveRef } from './resolve.ts';
import { nameOf } from './store-reader.ts';
import type { ResolvedGroup } from './toml.ts';

/** What an order comes to. */
export interface ResolvedOrder {
  readonly order: readonly ResolvedGroup[];
  /** Largest layer first, of equal ones the higher `id@version` (spec 04 §8.4). */
  readonly buildpacks: readonly Offer[];
}

/** The same id, version and home page: one layer. A later one replaces an earlier one. */
const keyOf = ({ buildpack: { id, version = '', homepage = '' } }: Offer): string =>
  JSON.stringify([id, version, homepage]);

type Found = ReadonlyMap<string, Offer>;

/** Composite buildpacks within composite buildpacks: two or three in practice. */
const deepest = 100;

const show = (path: readonly Offer[]): string => path.map(({ buildpack }) => nameOf(buildpack)).join(' → ');

/** Resolves the composite buildpacks of one catalogue; what a nested reference comes to is worked out once. */
const nestedResolver = (catalogue: Catalogue): ((offer: Offer, path: readonly Offer[]) => Found) => {
  const known = new Map<Offer, Found>();

  const child = (id: string, version: string | undefined, path: readonly Offer[]): Offer => {
    try {
      return resolveRef({ id, version }, catalogue);
    } catch (cause) {
      if (!(cause instanceof PermanentError)) throw cause;
      throw new PermanentError(cause.reason, `${cause.message}, ordered by ${show(path)}`, { cause });
    }
  };

  const withNested = (offer: Offer, path: readonly Offer[]): Found => {
    const here = [...path, offer];
    if (path.includes(offer)) {
      throw new PermanentError(
        'ReconcileFailed',
        `the order of buildpacks is a circle: ${show(here.slice(path.indexOf(offer)))}`,
      );
    }
    if (path.length >= deepest) {
      throw new PermanentError(
        'ReconcileFailed',
        `buildpacks order each other more than ${deepest} deep: ${show(path.slice(0, 3))} → …`,
      );
    }
    const before = known.get(offer);
    if (before !== undefined) return before;
    const found = new Map<string, Offer>();
    for (const { group } of offer.buildpack.order ?? []) {
      for (const { id, version } of group) {
        for (const [key, nested] of withNested(child(id, version, here), here)) found.set(key, nested);
      }
    }
    found.set(keyOf(offer), offer);
    known.set(offer, found);
    return found;
  };
  return withNested;
};

const bySize = ({ buildpack: a }: Offer, { buildpack: b }: Offer): number =>
  (b.size ?? 0) - (a.size ?? 0) || bytewise(nameOf(b), nameOf(a)) || bytewise(b.homepage ?? '', a.homepage ?? '');

/**
 * Throws PermanentError when a buildpack cannot be found or composite buildpacks order each other in a circle; for nested ones the
 * message names the way there.
 */
export const resolveOrder = (order: readonly BuilderOrderEntry[], catalogue: Catalogue): ResolvedOrder => {
  const withNested = nestedResolver(catalogue);
  const found = new Map<string, Offer>();
  const resolved = order.map(({ group }) => ({
    group: group.map((ref) => {
      const offer = resolveRef(ref, catalogue);
      for (const [key, nested] of withNested(offer, [])) found.set(key, nested);
      return { id: offer.buildpack.id, version: offer.buildpack.version ?? '', optional: ref.optional === true };
    }),
  }));
  return { order: resolved, buildpacks: [...found.values()].sort(bySize) };
};
