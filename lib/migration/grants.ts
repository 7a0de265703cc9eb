/** In which namespaces kpackless has to be let read Secrets and make pods before it can work there as kpack did everywhere (DESIGN §3.15). Pure. */
import type { RoleBinding } from 'kubernetes-types/rbac/v1.d.ts';
import type { KubeObject } from '../kube/object.ts';

/** The role that a namespace with builds binds (infra/cluster/rbac.yaml). */
export const tenantRole = 'kpackless-tenant';

/** kpackless as an access entry makes it known, and as itself in a cluster. */
const isKpackless = ({ kind, name, namespace }: NonNullable<RoleBinding['subjects']>[number]): boolean =>
  (kind === 'Group' && name === 'kpackless') ||
  (kind === 'ServiceAccount' && name === 'kpackless' && namespace === 'kpack');

/** Whether a RoleBinding or ClusterRoleBinding grants it. */
const grants = ({ roleRef, subjects }: RoleBinding): boolean =>
  roleRef.kind === 'ClusterRole' && roleRef.name === tenantRole && (subjects ?? []).some(isKpackless);

type Spec = { readonly serviceAccountRef?: { readonly namespace?: string } } | undefined;

/** Where objects work: in their own namespace, those of the whole cluster as an account of another. */
export const workingNamespaces = (objects: readonly KubeObject[]): readonly string[] => {
  const names = objects.map(
    (object) =>
      object.metadata?.namespace ?? (object as { readonly spec?: Spec }).spec?.serviceAccountRef?.namespace ?? '',
  );
  return [...new Set(names)].filter((name) => name !== '').toSorted();
};

/** Those of `namespaces` that grant nothing; none when the whole cluster does. */
export const ungranted = (
  namespaces: readonly string[],
  {
    everywhere,
    inNamespaces,
  }: { readonly everywhere: readonly RoleBinding[]; readonly inNamespaces: readonly RoleBinding[] },
): readonly string[] => {
  if (everywhere.some(grants)) return [];
  const granted = new Set(inNamespaces.filter(grants).map(({ metadata }) => metadata?.namespace));
  return namespaces.filter((name) => !granted.has(name));
};
