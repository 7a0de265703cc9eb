/** A ClusterStack resolves its build and run image and checks that they belong together (spec 04 §2). */
import type { ClusterStack } from '../api/cluster-stack.ts';
import { accountOf } from '../buildpacks/offers.ts';
import { type ImageReaderPorts, imageReader } from '../buildpacks/reading.ts';
import { stackOf } from '../buildpacks/stack-reader.ts';
import type { Reconciler } from '../reconcile/reconciler.ts';

/** Reads both images and reports digests, mixins and the user of the stack. */
export const reconcileClusterStack = (ports: ImageReaderPorts): Reconciler<ClusterStack> =>
  imageReader(
    {
      kind: 'ClusterStack',
      images: ({ spec }) => [spec.buildImage.image, spec.runImage.image],
      account: ({ spec }) => accountOf(spec.serviceAccountRef),
      resolved: ({ spec }, [buildImage, runImage]) => {
        if (buildImage === undefined || runImage === undefined) throw new Error('a stack has two images');
        return stackOf(spec, buildImage, runImage);
      },
      unresolved: { buildImage: {}, runImage: {} },
    },
    ports,
  );
