/** Which buildpacks a builder may choose from, and with whose credentials their layers are read (spec 04 §1, §7.1). */
import type { Buildpack } from '../api/buildpack.ts';
import type { BuildpackStatus } from '../api/buildpacks.ts';
import type { ClusterBuildpack } from '../api/cluster-buildpack.ts';
import type { ClusterStore } from '../api/cluster-store.ts';
import { bytewise } from '../text/bytewise.ts';

/** Whose registry credentials to use. Without a namespace no Secret of the cluster is read. */
export interface Account {
  readonly namespace: string;
  /** Empty with a namespace means `default`. */
  readonly serviceAccount: string;
  /** Names of further pull secrets in the namespace; they go before the account's own. */
  readonly imagePullSecrets?: readonly string[];
}

/** No Secrets at all. */
export const noAccount: Account = { namespace: '', serviceAccount: '' };

/** The account of a cluster-scoped object, which may name none. */
export const accountOf = (
  ref: { readonly namespace?: string | undefined; readonly name?: string | undefined } | undefined,
): Account => (ref === undefined ? noAccount : { namespace: ref.namespace ?? '', serviceAccount: ref.name ?? '' });

/** A buildpack that can be had. */
export interface Offer {
  readonly buildpack: BuildpackStatus;
  /** For pulling its layer. */
  readonly account: Account;
}

/** What one Buildpack or ClusterBuildpack offers. */
export interface OfferingObject {
  readonly name: string;
  readonly offers: readonly Offer[];
}

/** Everything a builder may choose from. */
export interface Catalogue {
  /** Of the builder's namespace; none for a ClusterBuilder. */
  readonly buildpacks: readonly OfferingObject[];
  readonly clusterBuildpacks: readonly OfferingObject[];
  readonly store: readonly Offer[];
}

interface Offering {
  readonly metadata: { readonly name?: string | undefined };
  readonly status?:
    | {
        readonly buildpacks?: readonly BuildpackStatus[] | undefined;
        readonly extensions?: readonly BuildpackStatus[] | undefined;
      }
    | undefined;
}

/** What of the objects is offered: an extension is resolved, copied and ordered as a buildpack is. */
type Offered = 'buildpacks' | 'extensions';

const offersOf = ({ status }: Offering, offered: Offered, account: Account): readonly Offer[] =>
  (status?.[offered] ?? []).map((buildpack) => ({ buildpack, account }));

/** By name, so that which of two objects with the same buildpack wins does not change from pass to pass (spec 04 §14.14). */
const byName = (objects: readonly OfferingObject[]): readonly OfferingObject[] =>
  objects.toSorted((a, b) => bytewise(a.name, b.name));

/** The catalogue of these objects, whatever their Ready conditions say: their buildpacks unless their extensions are asked for. */
export const catalogueOf = (
  buildpacks: readonly Buildpack[],
  clusterBuildpacks: readonly ClusterBuildpack[],
  store: ClusterStore | undefined,
  offered: Offered = 'buildpacks',
): Catalogue => ({
  buildpacks: byName(
    buildpacks.map((object) => ({
      name: object.metadata.name ?? '',
      offers: offersOf(object, offered, {
        namespace: object.metadata.namespace ?? '',
        serviceAccount: object.spec.serviceAccountName,
      }),
    })),
  ),
  clusterBuildpacks: byName(
    clusterBuildpacks.map((object) => ({
      name: object.metadata.name ?? '',
      offers: offersOf(object, offered, accountOf(object.spec.serviceAccountRef)),
    })),
  ),
  store: store === undefined ? [] : offersOf(store, offered, accountOf(store.spec.serviceAccountRef)),
});
