/** From what a builder asks for to one buildpack (spec 04 §7.1). */
import type { BuilderBuildpackRef } from '../api/order.ts';
import { PermanentError } from '../errors/expected.ts';
import type { Catalogue, Offer, OfferingObject } from './offers.ts';
import { rootOf } from './root.ts';
import { compareVersions, parseVersion } from './versions.ts';

const refuse = (message: string): never => {
  throw new PermanentError('ReconcileFailed', message);
};

const named = (objects: readonly OfferingObject[], name: string, missing: string): readonly Offer[] =>
  objects.find((object) => object.name === name)?.offers ?? refuse(missing);

type ById = ReadonlyMap<string, readonly Offer[]>;

/** A catalogue is asked once for each reference of an order: its offers are put in order once. */
const known = new WeakMap<object, ById>();

const byIdOf = (key: object, offers: () => readonly Offer[]): ById => {
  const found = known.get(key) ?? Map.groupBy(offers(), ({ buildpack }) => buildpack.id);
  known.set(key, found);
  return found;
};

const withId = (offers: readonly Offer[], id: string): readonly Offer[] => byIdOf(offers, () => offers).get(id) ?? [];

const anyWithId = (catalogue: Catalogue, id: string): readonly Offer[] => {
  const { buildpacks, clusterBuildpacks, store } = catalogue;
  const everything = () => [
    ...buildpacks.flatMap(({ offers }) => offers),
    ...clusterBuildpacks.flatMap(({ offers }) => offers),
    ...store,
  ];
  return byIdOf(catalogue, everything).get(id) ?? [];
};

/** All that a reference may mean, before versions are looked at; the first rule that fits decides. */
const candidatesFor = ({ id, kind, name = '', image }: BuilderBuildpackRef, catalogue: Catalogue): readonly Offer[] => {
  if (kind === 'Buildpack' && id) return withId(named(catalogue.buildpacks, name, `buildpack not found: ${name}`), id);
  if (kind === 'ClusterBuildpack' && id) {
    return withId(named(catalogue.clusterBuildpacks, name, `cluster buildpack not found: ${name}`), id);
  }
  if (kind === 'Buildpack') return [rootOf(named(catalogue.buildpacks, name, `no buildpack with name '${name}'`))];
  if (kind === 'ClusterBuildpack') {
    return [rootOf(named(catalogue.clusterBuildpacks, name, `no cluster buildpack with name '${name}'`))];
  }
  if (kind) return refuse('kind must be either Buildpack or ClusterBuildpack');
  if (id) return anyWithId(catalogue, id);
  return refuse(image ? 'using images in builders not currently supported' : 'invalid buildpack reference');
};

/** The highest version; of equal ones the last, so that without a version the store wins (spec 04 §14.13). */
const highest = (candidates: readonly Offer[]): Offer | undefined => {
  const before = highestOf.get(candidates);
  if (before !== undefined) return before;
  const found = lookedFor(candidates);
  if (found !== undefined) highestOf.set(candidates, found);
  return found;
};

const highestOf = new WeakMap<readonly Offer[], Offer>();

const lookedFor = (candidates: readonly Offer[]): Offer | undefined =>
  candidates
    .map((offer) => {
      const { id, version = '' } = offer.buildpack;
      const parsed = parseVersion(version);
      return {
        offer,
        version:
          parsed ?? refuse(`cannot find buildpack '${id}' with latest version due to invalid semver '${version}'`),
      };
    })
    .sort((a, b) => compareVersions(a.version, b.version))
    .at(-1)?.offer;

/**
 * The buildpack a reference means. With a version the first candidate of exactly that text: Buildpacks before ClusterBuildpacks before
 * the store; without one the highest. Throws PermanentError, in kpack's words, when there is none.
 */
export const resolveRef = (
  ref: BuilderBuildpackRef,
  catalogue: Catalogue,
  what: 'buildpack' | 'extension' = 'buildpack',
): Offer => {
  const candidates = candidatesFor(ref, catalogue);
  const id = ref.id ?? '';
  if (candidates.length === 0) return refuse(`could not find ${what} with id '${id}'`);
  if (!ref.version) return highest(candidates) ?? refuse(`could not find ${what} with id '${id}'`);
  return (
    candidates.find(({ buildpack }) => (buildpack.version ?? '') === ref.version) ??
    refuse(`could not find ${what} with id '${id}' and version '${ref.version}'`)
  );
};
