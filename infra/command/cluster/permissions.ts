/** Whether functions and relay may do in a cluster what the RBAC that is installed is to let them (infra/cluster). */
import type { ClusterRole } from 'kubernetes-types/rbac/v1.d.ts';
import { kindNames, kinds } from '../../../lib/api/kinds.ts';
import { GROUP } from '../../../lib/api/resource.ts';
import { kubernetesGroup, relayAccount, relayNamespace } from '../../../lib/eks/plan.ts';
import {
  type Deed,
  deedsOf,
  type PolicyRule,
  refusedDeeds,
  type Subject,
  showDeed,
} from '../../../lib/kube/access-review.ts';
import { isKubeError } from '../../../lib/kube/errors.ts';
import type { KubeTransport } from '../../../lib/kube/transport.ts';
import { type Checked, unknown, well, wrong } from '../findings.ts';
import { objectsIn } from '../manifests.ts';

/** What `*` of our group stands for, with the status of each kind, which is written apart. */
const resourcesOf = (group: string): readonly string[] =>
  group === GROUP ? kindNames.flatMap((kind) => [kinds[kind].plural, `${kinds[kind].plural}/status`]) : [];

/** The rules of a ClusterRole that is installed. */
export const rulesOf = (file: string, name: string): readonly PolicyRule[] =>
  objectsIn(file).flatMap((object) => {
    const role = object as ClusterRole;
    return object.kind === 'ClusterRole' && role.metadata?.name === name ? (role.rules ?? []).map(ruleOf) : [];
  });

const ruleOf = ({
  apiGroups = [],
  resources = [],
  verbs,
  resourceNames,
}: NonNullable<ClusterRole['rules']>[number]): PolicyRule => ({
  apiGroups,
  resources,
  verbs,
  ...(resourceNames !== undefined && { resourceNames }),
});

/** What functions do with our kinds, in all of the cluster. */
export const functionDeeds = (): readonly Deed[] => deedsOf(rulesOf('rbac.yaml', 'kpackless'), resourcesOf);
/** What they do in a namespace that builds. */
export const tenantDeeds = (namespace?: string): readonly Deed[] =>
  deedsOf(rulesOf('rbac.yaml', 'kpackless-tenant'), resourcesOf, namespace);
/** What a relay does. */
export const relayDeeds = (): readonly Deed[] => deedsOf(rulesOf('relay-rbac.yaml', 'kpackless-relay'), resourcesOf);

/** Functions, as an access entry makes them known. */
export const functionsAsGroup: Subject = { user: 'kpackless', groups: [kubernetesGroup, 'system:authenticated'] };

const serviceAccounts = 'system:serviceaccounts';
/** The relay. */
export const relaySubject: Subject = {
  user: `system:serviceaccount:${relayNamespace}:${relayAccount}`,
  groups: [serviceAccounts, `${serviceAccounts}:${relayNamespace}`, 'system:authenticated'],
};

/** How kpackless may be asked about: by itself, or by somebody who may ask for others. */
export interface Asker {
  readonly transport: KubeTransport;
  readonly subject: Subject;
}

/** Refusals that are spelt out. */
const mostSaid = 6;
const list = (deeds: readonly Deed[]): string =>
  `${deeds.slice(0, mostSaid).map(showDeed).join(', ')}${deeds.length > mostSaid ? ` and ${deeds.length - mostSaid} more` : ''}`;

/** Asks for every deed. */
export const mayAll = async (what: string, asker: Asker, deeds: readonly Deed[], wayOut: string): Promise<Checked> => {
  try {
    const refused = await refusedDeeds(asker.transport, asker.subject, deeds);
    return refused.length === 0
      ? well(what, `all ${deeds.length} verbs are allowed`)
      : wrong(what, `may not ${list(refused)}`, wayOut);
  } catch (error) {
    if (!isKubeError(error, 'forbidden')) throw error;
    return unknown(
      what,
      'you may not ask for others (create subjectaccessreviews)',
      'ask as an administrator of the cluster',
    );
  }
};

/**
 * Where builds may be made: everywhere, or in each of `namespaces`, which have Images. Each that is missing is named with the binding.
 * @throws KubeError
 */
export const mayBuild = async (asker: Asker, namespaces: readonly string[]): Promise<readonly Checked[]> => {
  const what = 'builds';
  const bind =
    'kubectl apply -f infra/cluster/tenant-everywhere.yaml, or in a namespace: kubectl -n NAMESPACE create rolebinding kpackless-tenant --clusterrole kpackless-tenant --group kpackless';
  const everywhere = await mayAll(what, asker, tenantDeeds(), bind);
  if (everywhere.state !== 'wrong') return [everywhere];
  if (namespaces.length === 0)
    return [unknown(what, 'there are no Images yet, and no leave to build in every namespace', bind)];
  return Promise.all(
    namespaces.map((namespace) =>
      mayAll(
        `builds in ${namespace}`,
        asker,
        tenantDeeds(namespace),
        `kubectl -n ${namespace} create rolebinding kpackless-tenant --clusterrole kpackless-tenant --group kpackless`,
      ),
    ),
  );
};
