/** Buildpack and ClusterBuildpack list the buildpacks of one buildpackage image (spec 04 §2). */
import type { Buildpack } from '../api/buildpack.ts';
import type { ClusterBuildpack } from '../api/cluster-buildpack.ts';
import { accountOf, noAccount } from '../buildpacks/offers.ts';
import { type ImageReaderPorts, imageReader } from '../buildpacks/reading.ts';
import { buildpacksOf } from '../buildpacks/store-reader.ts';
import type { Reconciler } from '../reconcile/reconciler.ts';

/** Reads the image with the credentials of the Buildpack's account in its namespace; without an account, with none of the cluster. */
export const reconcileBuildpack = (ports: ImageReaderPorts): Reconciler<Buildpack> =>
  imageReader(
    {
      kind: 'Buildpack',
      images: ({ spec }) => [spec.image],
      account: ({ spec, metadata }) =>
        spec.serviceAccountName
          ? { namespace: metadata.namespace ?? '', serviceAccount: spec.serviceAccountName }
          : noAccount,
      resolved: ({ spec }, images) => buildpacksOf([spec], images),
      unresolved: {},
    },
    ports,
  );

/** Reads the image with the credentials of the account it names, if it names one. */
export const reconcileClusterBuildpack = (ports: ImageReaderPorts): Reconciler<ClusterBuildpack> =>
  imageReader(
    {
      kind: 'ClusterBuildpack',
      images: ({ spec }) => [spec.image],
      account: ({ spec }) => accountOf(spec.serviceAccountRef),
      resolved: ({ spec }, images) => buildpacksOf([spec], images),
      unresolved: {},
    },
    ports,
  );
