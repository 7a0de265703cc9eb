/** What is installed in a cluster, compared with what this version installs. */
import type { CustomResourceDefinition } from 'kubernetes-types/apiextensions/v1.d.ts';
import type { Deployment } from 'kubernetes-types/apps/v1.d.ts';
import { crdName, type Kind, kindNames } from '../../../lib/api/kinds.ts';
import { relayAccount, relayNamespace } from '../../../lib/eks/plan.ts';
import type { KubeClient } from '../../../lib/kube/client.ts';
import type { KubeObject } from '../../../lib/kube/object.ts';
import { definitionOf } from '../../crds/definition.ts';
import { tracesOfKpack, wayOutOfKpack } from '../../crds/whose-cluster.ts';
import { defaultCachePolicy } from '../../default-cache.ts';
import { type Checked, unknown, well, wrong } from '../findings.ts';
import type { Names } from '../installation.ts';
import { objectsIn } from '../manifests.ts';

/** Whether everything in `ours` stands in `theirs`, which may have more: an API server adds defaults. */
export const isWithin = (ours: unknown, theirs: unknown): boolean => {
  if (typeof ours !== 'object' || ours === null) return ours === theirs;
  if (Array.isArray(ours))
    return (
      Array.isArray(theirs) && ours.length === theirs.length && ours.every((one, index) => isWithin(one, theirs[index]))
    );
  return (
    typeof theirs === 'object' &&
    theirs !== null &&
    Object.entries(ours).every(
      ([key, one]) => one === undefined || isWithin(one, (theirs as Record<string, unknown>)[key]),
    )
  );
};

const apply =
  'kubectl apply --server-side -f infra/crds/ -f infra/cluster/rbac.yaml -f infra/cluster/admission.yaml, or kpackless cluster add again';

/** Whether it is that of this version, converted by whomever it names. */
const isOurs = (kind: Kind, { spec }: CustomResourceDefinition): boolean => {
  const converter = spec.conversion?.webhook?.clientConfig;
  return isWithin(definitionOf(kind, { converter }).spec, spec);
};

/** Definitions: there, ours, of this version. @throws KubeError */
export const definitions = async (kube: KubeClient): Promise<readonly Checked[]> => {
  const traces = await tracesOfKpack(kube);
  if (traces.length > 0)
    return [
      wrong(
        'kpack',
        `is in the cluster too: ${traces.join(', ')}`,
        `two controllers build everything twice: ${wayOutOfKpack}`,
      ),
    ];
  const missing: string[] = [];
  const old: string[] = [];
  for (const kind of kindNames) {
    const name = crdName(kind);
    const found = await kube.get<CustomResourceDefinition & KubeObject>({
      kind: 'CustomResourceDefinition',
      namespace: '',
      name,
    });
    if (found === undefined) missing.push(name);
    else if (!isOurs(kind, found)) old.push(name);
  }
  if (missing.length > 0) return [wrong('definitions', `${missing.join(', ')} are missing`, apply)];
  return old.length > 0
    ? [wrong('definitions', `${old.join(', ')} are not those of this version`, apply)]
    : [well('definitions', `all ${kindNames.length} are those of this version`)];
};

/** Admission policies: there, and of this version. @throws KubeError */
export const policies = async (kube: KubeClient): Promise<readonly Checked[]> => {
  const wrongs: string[] = [];
  for (const ours of [...objectsIn('admission.yaml'), ...(await defaultCachePolicy(kube))]) {
    const [kind, name] = [ours.kind ?? '', ours.metadata?.name ?? ''];
    const found = await kube.get<KubeObject & { readonly spec?: unknown }>({ kind, namespace: '', name });
    if (found === undefined) wrongs.push(`${kind} ${name} is missing`);
    else if (!isWithin((ours as { readonly spec?: unknown }).spec, found.spec))
      wrongs.push(`${kind} ${name} is not that of this version`);
  }
  return [
    wrongs.length > 0 ? wrong('policies', wrongs.join(', '), apply) : well('policies', 'all are those of this version'),
  ];
};

/** The relay that runs in the cluster, as it is told. @throws KubeError */
export const relayDeployment = async (kube: KubeClient, cluster: string, names: Names): Promise<readonly Checked[]> => {
  const what = 'relay';
  const found = await kube.get<Deployment & KubeObject>({
    kind: 'Deployment',
    namespace: relayNamespace,
    name: relayAccount,
  });
  if (found === undefined)
    return [
      unknown(what, `there is no Deployment ${relayNamespace}/${relayAccount}: it may run outside of the cluster`),
    ];
  const container = found.spec?.template.spec?.containers.find(({ name }) => name === 'relay');
  const told = new Map(container?.env?.map(({ name, value }) => [name, value ?? '']));
  const others = [
    told.get('KPACKLESS_CLUSTER') === cluster
      ? undefined
      : `speaks for cluster ${told.get('KPACKLESS_CLUSTER') ?? 'nobody'}`,
    told.get('KPACKLESS_TABLE') === names.table ? undefined : `uses table ${told.get('KPACKLESS_TABLE') ?? 'none'}`,
    told.get('KPACKLESS_QUEUE_URL_PREFIX')?.endsWith(`/${names.queuePrefix}`) === true
      ? undefined
      : `sends to ${told.get('KPACKLESS_QUEUE_URL_PREFIX') ?? 'nowhere'}…`,
  ].filter((one) => one !== undefined);
  if (others.length > 0)
    return [wrong(what, `it ${others.join(', ')}`, `kpackless cluster add ${cluster} again sets it right`)];
  const available = found.status?.availableReplicas ?? 0;
  return [
    available > 0
      ? well(what, `${available} of ${found.spec?.replicas ?? 1} pods are ready, image ${container?.image ?? '?'}`)
      : wrong(what, 'no pod of it is ready', `kubectl -n ${relayNamespace} logs deployment/${relayAccount}`),
  ];
};
