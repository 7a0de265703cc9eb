/** The order of image extensions of a builder, beyond kpack: resolved as buildpacks are, but never nested and always optional. */
import type { BuilderExtensionOrderEntry } from '../api/order.ts';
import { PermanentError } from '../errors/expected.ts';
import { bytewise } from '../text/bytewise.ts';
import type { Catalogue, Offer } from './offers.ts';
import { resolveRef } from './resolve.ts';
import { nameOf } from './store-reader.ts';
import type { ResolvedGroup } from './toml.ts';

/** What an order of extensions comes to; both empty without one. */
export interface ResolvedExtensions {
  readonly order: readonly ResolvedGroup[];
  /** Each once, sorted by `id@version`. */
  readonly extensions: readonly Offer[];
}

const at = (path: string, cause: unknown): never => {
  if (!(cause instanceof PermanentError)) throw cause;
  throw new PermanentError(cause.reason, `${path}: ${cause.message}`, { cause });
};

const resolved = (ref: BuilderExtensionOrderEntry['group'][number], catalogue: Catalogue, path: string): Offer => {
  try {
    return resolveRef(ref, catalogue, 'extension');
  } catch (cause) {
    return at(path, cause);
  }
};

/** What the lifecycle writes for an extension has its id as name: a second version in the group would overwrite it. */
const assertDistinct = (offers: readonly Offer[], path: string): void => {
  const seen = new Set<string>();
  for (const [index, { buildpack }] of offers.entries()) {
    if (seen.has(buildpack.id)) {
      const message = `${path}[${index}]: extension ${buildpack.id} is in the group already`;
      throw new PermanentError('ReconcileFailed', message);
    }
    seen.add(buildpack.id);
  }
};

/** Throws PermanentError, naming the place in the spec, for an extension that cannot be found or is in a group twice. */
export const resolveExtensions = (
  order: readonly BuilderExtensionOrderEntry[],
  catalogue: Catalogue,
): ResolvedExtensions => {
  const found = new Map<string, Offer>();
  const groups = order.map(({ group }, place) => {
    const path = `spec.orderExtensions[${place}].group`;
    const offers = group.map((ref, index) => resolved(ref, catalogue, `${path}[${index}]`));
    assertDistinct(offers, path);
    for (const offer of offers) found.set(nameOf(offer.buildpack), offer);
    return {
      group: offers.map(({ buildpack: { id, version = '' } }) => ({ id, version, optional: false })),
    };
  });
  const extensions = [...found.values()].sort((a, b) => bytewise(nameOf(a.buildpack), nameOf(b.buildpack)));
  return { order: groups.filter(({ group }) => group.length > 0), extensions };
};
