/** What kpack's release puts into a cluster beside its definitions and permissions (spec 05 §2), and how a migration marks what it has laid down. */
import type { Deployment } from 'kubernetes-types/apps/v1.d.ts';
import type { KubeObject, ObjectKey } from '../kube/object.ts';

/** A Deployment as the API server returns it. */
export type LiveDeployment = Deployment & KubeObject;

/** Where everything of kpack lives. */
export const kpackNamespace = 'kpack';

const deployment = (name: string) => ({ kind: 'Deployment', namespace: kpackNamespace, name }) as const;

/** Builds: two of them would build everything twice. */
export const kpackController = deployment('kpack-controller');
/** Answers admission, and converts between v1alpha1 and v1alpha2. */
export const kpackWebhook = deployment('kpack-webhook');
/** What converts for kpack: a definition that names it depends on kpack. */
export const kpackWebhookService = { namespace: kpackNamespace, name: 'kpack-webhook' } as const;

/** Cluster-wide, and closed when kpack-webhook is away (spec 05 §4.4). */
export const kpackWebhookConfigurations = [
  { kind: 'MutatingWebhookConfiguration', namespace: '', name: 'defaults.webhook.kpack.io' },
  { kind: 'ValidatingWebhookConfiguration', namespace: '', name: 'validation.webhook.kpack.io' },
] as const satisfies readonly ObjectKey[];

/** Build pods name them when priorities are on, whoever makes them. */
export const buildPriorityClasses = ['kpack-build-high-priority', 'kpack-build-low-priority'] as const;

/** On a Deployment of kpack's that a migration laid down: how many replicas it had, which `migrate back` gives it again. */
export const replicasAnnotation = 'kpackless.io/replicas-before-migration';
/** On kpack-controller, from the first change on: the file that everything was written to before. */
export const backupAnnotation = 'kpackless.io/migration-backup';

/** How many pods it asks for. */
export const replicasOf = ({ spec }: LiveDeployment): number => spec?.replicas ?? 1;

/** Whether a migration laid it down, and nobody has raised it since: then it does nothing. */
export const isLaidDown = (found: LiveDeployment): boolean =>
  replicasOf(found) === 0 && found.metadata?.annotations?.[replicasAnnotation] !== undefined;

/** How many replicas it goes back to: as it was marked, or as `backup` has it. */
export const replicasBefore = (found: LiveDeployment, backup: LiveDeployment): number => {
  const marked = found.metadata?.annotations?.[replicasAnnotation] ?? '';
  return /^\d{1,4}$/.test(marked) ? Number(marked) : replicasOf(backup);
};

/** Whether a role or binding is of kpack's release. */
export const isKpackPermission = ({ metadata }: KubeObject): boolean => metadata?.name?.startsWith('kpack-') === true;
