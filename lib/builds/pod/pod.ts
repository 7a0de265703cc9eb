/** What build pod and rebase pod have in common: name, owner, labels, scheduling (spec 03 §4). */
import type { Pod, PodSpec } from 'kubernetes-types/core/v1.d.ts';
import type { Build } from '../../api/build.ts';
import { buildLabel, istioInjectAnnotation } from '../../api/labels.ts';
import { buildPodName } from '../../api/names.ts';
import { API_VERSION } from '../../api/resource.ts';
import { scheduling } from './scheduling.ts';

/** kubectl's copy of the object: of no use on a child, and it may not fit (DESIGN §4). */
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

const annotationsOf = (build: Build): Record<string, string> => {
  const { [lastApplied]: _, ...kept } = build.metadata.annotations ?? {};
  return { ...kept, [istioInjectAnnotation]: 'false' };
};

/** A pod of this Build around what its containers need. Owned by the Build, so it is deleted with it. */
export const podOf = (build: Build, spec: PodSpec): Pod => {
  const { name, namespace, uid, labels } = build.metadata;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: buildPodName(name),
      namespace: namespace ?? '',
      labels: { ...labels, [buildLabel]: name },
      annotations: annotationsOf(build),
      ownerReferences: [
        { apiVersion: API_VERSION, kind: 'Build', name, uid: uid ?? '', controller: true, blockOwnerDeletion: true },
      ],
    },
    // No step speaks to the cluster. Cloud identities have tokens of their own, which webhooks project (identity.ts).
    spec: { ...spec, ...scheduling(build), automountServiceAccountToken: false, restartPolicy: 'Never' },
  };
};
