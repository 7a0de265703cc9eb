/** A ClusterStore lists the buildpacks of its source images (spec 04 §2). */
import type { ClusterStore } from '../api/cluster-store.ts';
import { accountOf } from '../buildpacks/offers.ts';
import { type ImageReaderPorts, imageReader } from '../buildpacks/reading.ts';
import { buildpacksOf } from '../buildpacks/store-reader.ts';
import type { Reconciler } from '../reconcile/reconciler.ts';

/** Reads all sources and reports every buildpack found; one that fails fails all, and the last good list stays. */
export const reconcileClusterStore = (ports: ImageReaderPorts): Reconciler<ClusterStore> =>
  imageReader(
    {
      kind: 'ClusterStore',
      images: ({ spec }) => spec.sources.map(({ image }) => image),
      account: ({ spec }) => accountOf(spec.serviceAccountRef),
      resolved: ({ spec }, images) => buildpacksOf(spec.sources, images),
      unresolved: {},
    },
    ports,
  );
