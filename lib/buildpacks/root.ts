/** The one buildpack an object is about: the one no other buildpack in it orders (spec 04 §7.1 "Root of an object"). */
import type { BuildpackStatus } from '../api/buildpacks.ts';
import { PermanentError } from '../errors/expected.ts';
import type { Offer } from './offers.ts';
import { nameOf } from './store-reader.ts';

const childrenOf = ({ order }: BuildpackStatus): readonly string[] =>
  (order ?? []).flatMap(({ group }) => group.map(({ id }) => id));

/** Throws PermanentError when a composite buildpack names one that is not in the same image. */
const assertComplete = (offers: readonly Offer[]): void => {
  const ids = new Set(offers.map(({ buildpack }) => buildpack.id));
  for (const { buildpack } of offers) {
    const absent = childrenOf(buildpack).find((id) => !ids.has(id));
    if (absent !== undefined) {
      throw new PermanentError(
        'ReconcileFailed',
        `buildpack ${nameOf(buildpack)} orders ${absent}, which is not in its image ${buildpack.storeImage?.image ?? ''}`,
      );
    }
  }
};

/** Throws PermanentError `unexpected number of root buildpacks: N` unless there is exactly one, or when ids are absent. */
export const rootOf = (offers: readonly Offer[]): Offer => {
  assertComplete(offers);
  const ordered = new Set(offers.flatMap(({ buildpack }) => childrenOf(buildpack)));
  const roots = offers.filter(({ buildpack }) => !ordered.has(buildpack.id));
  const [root] = roots;
  if (root === undefined || roots.length > 1) {
    throw new PermanentError('ReconcileFailed', `unexpected number of root buildpacks: ${roots.length}`);
  }
  return root;
};
