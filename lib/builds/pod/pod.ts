/** What build pod and rebase pod have in common: name, owner, labels, scheduling (spec 03 §4). */
import type { Pod, PodSpec } from 'kubernetes-types/core/v1.d.ts';
import type { Build } from '../../api/build.ts';
import { buildLabel, istioInjectAnnotation } from '../../api/labels.ts';
import { buildPodName } from '../../api/names.ts';
import { API_VERSION } from '../../api/resource.ts';
import { scheduling } from './scheduling.ts';

/** kubectl's copy of the object: of no use on a child, and it may not fit (DESIGN §4). */
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * Domains of annotations that tell a node how well to keep containers apart: AppArmor, seccomp, and what container runtimes and sandboxes are
 * told about themselves. Whoever may annotate an Image need not be allowed to write pods.
 */
const aboutIsolation = [
  'container.apparmor.security.beta.kubernetes.io',
  'seccomp.security.alpha.kubernetes.io',
  'container.seccomp.security.alpha.kubernetes.io',
  'io.kubernetes.cri-o',
  'io.katacontainers',
  'dev.gvisor',
];

const decidesIsolation = (annotation: string): boolean =>
  aboutIsolation.some((domain) => annotation.startsWith(`${domain}/`) || annotation.startsWith(`${domain}.`));

/** The Build's, as in kpack, but for kubectl's and those that decide on isolation. */
const annotationsOf = (build: Build): Record<string, string> => {
  const all = Object.entries(build.metadata.annotations ?? {});
  const kept = all.filter(([annotation]) => annotation !== lastApplied && !decidesIsolation(annotation));
  return { ...Object.fromEntries(kept), [istioInjectAnnotation]: 'false' };
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
