/** A builder's whole order: every version filled in, and every buildpack that must be in the image, nested ones too (spec 04 §7.2). */
import type { BuilderOrderEntry } from '../api/order.ts';
import { PermanentError } from '../errors/expected.ts';
import { bytewise } from '../text/bytewise.ts';
import { duplicatesIn } from './duplicates.ts';
import type { Catalogue, Offer } from './offers.ts';
import { resolveRef } from './resolve.ts';
import { nameOf } from './store-reader.ts';
import type { ResolvedGroup } from './toml.ts';

/** What an order comes to. */
export interface ResolvedOrder {
  readonly order: readonly ResolvedGroup[];
  /** Largest layer first, of equal ones the higher `id@version` (spec 04 §8.4). */
  readonly buildpacks: readonly Offer[];
  /** Buildpacks a group cannot do without: those that nothing on the way to them makes optional. Composite ones are not among them. */
  readonly needed: readonly NeededBuildpack[];
  /** What is there twice, for a condition; empty when nothing is. */
  readonly duplicates: string;
}

/** `id@version`, and the first place in the order that asks for it. */
export interface NeededBuildpack {
  readonly name: string;
  readonly path: string;
}

/** The same id, version and home page: one layer. A later one replaces an earlier one. */
const keyOf = ({ buildpack: { id, version = '', homepage = '' } }: Offer): string =>
  JSON.stringify([id, version, homepage]);

/** Composite buildpacks within composite buildpacks: two or three in practice. */
const deepest = 100;

const show = (path: readonly Offer[]): string => path.map(({ buildpack }) => nameOf(buildpack)).join(' → ');

/** What a composite buildpack orders itself. */
type Children = ReadonlyMap<Offer, readonly { readonly offer: Offer; readonly optional: boolean }[]>;

interface NestedResolver {
  /** Resolves what the offer orders, and what that orders; gives how deep it goes. */
  readonly resolve: (offer: Offer, path: readonly Offer[]) => number;
  /** Of everything that was resolved. */
  readonly children: Children;
}

/** Resolves the composite buildpacks of one catalogue; what a nested reference comes to is worked out once. */
const nestedResolver = (catalogue: Catalogue): NestedResolver => {
  const heights = new Map<Offer, number>();
  const children = new Map<Offer, { readonly offer: Offer; readonly optional: boolean }[]>();

  const child = (id: string, version: string | undefined, path: readonly Offer[]): Offer => {
    try {
      return resolveRef({ id, version }, catalogue);
    } catch (cause) {
      if (!(cause instanceof PermanentError)) throw cause;
      throw new PermanentError(cause.reason, `${cause.message}, ordered by ${show(path)}`, { cause });
    }
  };

  const assertShallow = (path: readonly Offer[], height: number): void => {
    if (path.length + height <= deepest) return;
    throw new PermanentError(
      'ReconcileFailed',
      `buildpacks order each other more than ${deepest} deep: ${show(path.slice(0, 3))} → …`,
    );
  };

  const resolve = (offer: Offer, path: readonly Offer[]): number => {
    const here = [...path, offer];
    if (path.includes(offer)) {
      throw new PermanentError(
        'ReconcileFailed',
        `the order of buildpacks is a circle: ${show(here.slice(path.indexOf(offer)))}`,
      );
    }
    const before = heights.get(offer);
    assertShallow(here, before ?? 0);
    if (before !== undefined) return before;
    const own: { readonly offer: Offer; readonly optional: boolean }[] = [];
    let height = 0;
    for (const { group } of offer.buildpack.order ?? []) {
      for (const { id, version, optional = false } of group) {
        const ordered = child(id, version, here);
        own.push({ offer: ordered, optional });
        height = Math.max(height, 1 + resolve(ordered, here));
      }
    }
    heights.set(offer, height);
    children.set(offer, own);
    return height;
  };
  return { resolve, children };
};

/**
 * All of `roots` and what they order. Of several with one key the last stays, so they are visited from the end: then it is the first, and
 * whatever was visited needs no second visit.
 */
const withNested = (roots: readonly Offer[], children: Children): readonly Offer[] => {
  const visited = new Set<Offer>();
  const found = new Map<string, Offer>();
  const visit = (offer: Offer): void => {
    if (visited.has(offer)) return;
    visited.add(offer);
    const key = keyOf(offer);
    if (!found.has(key)) found.set(key, offer);
    for (const { offer: nested } of (children.get(offer) ?? []).toReversed()) visit(nested);
  };
  for (const root of roots.toReversed()) visit(root);
  return [...found.values()];
};

/** Everything that is ordered, each once by the first way there; with `all` what is optional too. */
const visited = (
  groups: readonly (readonly { readonly offer: Offer; readonly optional: boolean }[])[],
  children: Children,
  all: boolean,
): readonly { readonly offer: Offer; readonly path: string }[] => {
  const seen = new Set<Offer>();
  const from = (offer: Offer, way: readonly string[]): readonly { readonly offer: Offer; readonly path: string }[] => {
    if (seen.has(offer)) return [];
    seen.add(offer);
    const here = [...way, nameOf(offer.buildpack)];
    const own = (children.get(offer) ?? []).filter(({ optional }) => all || !optional);
    return [{ offer, path: here.join(' → ') }, ...own.flatMap((child) => from(child.offer, here))];
  };
  return groups.flatMap((group, index) =>
    group.flatMap(({ offer, optional }) => (all || !optional ? from(offer, [`group ${index + 1}`]) : [])),
  );
};

const isComposite = ({ buildpack: { order = [] } }: Offer): boolean => order.length > 0;

const bySize = ({ buildpack: a }: Offer, { buildpack: b }: Offer): number =>
  (b.size ?? 0) - (a.size ?? 0) || bytewise(nameOf(b), nameOf(a)) || bytewise(b.homepage ?? '', a.homepage ?? '');

/**
 * Throws PermanentError when a buildpack cannot be found or composite buildpacks order each other in a circle; for nested ones the
 * message names the way there.
 */
export const resolveOrder = (order: readonly BuilderOrderEntry[], catalogue: Catalogue): ResolvedOrder => {
  const { resolve, children } = nestedResolver(catalogue);
  const groups = order.map(({ group }) =>
    group.map((ref) => {
      const offer = resolveRef(ref, catalogue);
      resolve(offer, []);
      return { offer, optional: ref.optional === true };
    }),
  );
  const resolved = groups.map((group) => ({
    group: group.map(({ offer: { buildpack }, optional }) => ({
      id: buildpack.id,
      version: buildpack.version ?? '',
      optional,
    })),
  }));
  const roots = groups.flatMap((group) => group.map(({ offer }) => offer));
  const buildpacks = withNested(roots, children).toSorted(bySize);
  return {
    order: resolved,
    buildpacks,
    needed: visited(groups, children, false).flatMap(({ offer, path }) =>
      isComposite(offer) ? [] : [{ name: nameOf(offer.buildpack), path }],
    ),
    duplicates: duplicatesIn(
      resolved,
      buildpacks.map(({ buildpack }) => buildpack),
      visited(groups, children, true).flatMap(({ offer, path }) =>
        isComposite(offer) ? [{ buildpack: offer.buildpack, path }] : [],
      ),
    ),
  };
};
