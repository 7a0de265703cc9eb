/** A ClusterLifecycle resolves its image and says which APIs it speaks (spec 04 §2). */
import type { ClusterLifecycle } from '../api/cluster-lifecycle.ts';
import { lifecycleOf, unresolvedLifecycle } from '../buildpacks/lifecycle-reader.ts';
import { accountOf } from '../buildpacks/offers.ts';
import { type ImageReaderPorts, imageReader } from '../buildpacks/reading.ts';
import type { Reconciler } from '../reconcile/reconciler.ts';

/** Reads the image and reports digest, version and APIs. */
export const reconcileClusterLifecycle = (ports: ImageReaderPorts): Reconciler<ClusterLifecycle> =>
  imageReader(
    {
      kind: 'ClusterLifecycle',
      images: ({ spec }) => [spec.image],
      account: ({ spec }) => accountOf(spec.serviceAccountRef),
      resolved: ({ spec }, [image]) => {
        if (image === undefined) throw new Error('a lifecycle has one image');
        return lifecycleOf(spec.image, image);
      },
      unresolved: unresolvedLifecycle,
    },
    ports,
  );
