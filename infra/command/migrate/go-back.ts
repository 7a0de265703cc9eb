/** The steps of `kpackless migrate back`: the same way in the other direction. Objects stay as they are now; what was made meanwhile is kpack's as well. */
import { PermanentError } from '../../../lib/errors/expected.ts';
import { isKubeError } from '../../../lib/kube/errors.ts';
import { type KubeObject, keyOf, showKey } from '../../../lib/kube/object.ts';
import { type LiveDefinition, putBack } from '../../../lib/migration/definitions.ts';
import { fresh } from '../../../lib/migration/fresh.ts';
import {
  backupAnnotation,
  isKpackPermission,
  kpackController,
  kpackNamespace,
  kpackWebhook,
  type LiveDeployment,
} from '../../../lib/migration/kpack.ts';
import { isOurDefinition } from '../../crds/whose-cluster.ts';
import { defaultCachePolicy } from '../../default-cache.ts';
import { objectsIn } from '../manifests.ts';
import { forgetBackup } from './back-up.ts';
import { readBackup } from './backup-file.ts';
import { available, layDown, raise } from './deployments.ts';
import type { Move } from './move.ts';
import type { MoveStep } from './steps.ts';

/** What of a backup `migrate back` needs: everything but the objects, which are in the cluster. */
export interface KpackInstallation {
  readonly definitions: readonly LiveDefinition[];
  readonly webhooks: readonly KubeObject[];
  readonly permissions: readonly KubeObject[];
  readonly controller: LiveDeployment | undefined;
  readonly webhook: LiveDeployment | undefined;
}

/** Reads it. @throws PermanentError when the file is no backup, or one without kpack in it */
export const installationIn = async (path: string): Promise<KpackInstallation> => {
  const found: KubeObject[] = [];
  for await (const object of readBackup(path))
    if (object.apiVersion?.startsWith('kpack.io/') !== true) found.push(object);
  const definitions = found.filter(({ kind }) => kind === 'CustomResourceDefinition') as LiveDefinition[];
  if (definitions.length === 0 || definitions.some(isOurDefinition))
    throw new PermanentError(
      'Backup',
      `${path} holds no definitions of kpack's: it was not written before a migration`,
    );
  const deployment = (name: string): LiveDeployment | undefined =>
    found.find(({ kind, metadata }) => kind === 'Deployment' && metadata?.name === name) as LiveDeployment | undefined;
  return {
    definitions,
    webhooks: found.filter(({ kind }) => kind?.endsWith('WebhookConfiguration') === true),
    permissions: found.filter((object) => /Role(?:Binding)?$/.test(object.kind ?? '') && isKpackPermission(object)),
    controller: deployment(kpackController.name),
    webhook: deployment(kpackWebhook.name),
  };
};

/** Refuses a backup of another cluster: its definitions are of other uids. @throws PermanentError, KubeError */
export const assertOfCluster = async ({ client, cluster }: Move, { definitions }: KpackInstallation): Promise<void> => {
  for (const then of definitions) {
    const now = await client.get<LiveDefinition>(keyOf(then));
    if (now === undefined || now.metadata?.uid === then.metadata?.uid) continue;
    throw new PermanentError(
      'Refused',
      `the backup is of another cluster than ${cluster}, or ${then.metadata?.name} was deleted and made anew since: nothing is changed. To use it all the same, apply what you need of it with kubectl`,
    );
  }
};

const ours = ['kpackless', 'kpackless-relay'].map((name) => ({ kind: 'Deployment', namespace: kpackNamespace, name }));

const layOursDown: MoveStep = {
  what: 'kpackless and its relay to 0 replicas',
  byHand: ours.map(({ namespace, name }) => `kubectl -n ${namespace} scale deployment ${name} --replicas 0`),
  take: async (move, tell) => {
    const said: string[] = [];
    for (const key of ours) said.push(await layDown(move, key, tell));
    return said.join('; ');
  },
};

const files = [
  'admission.yaml',
  'closed-build-pods.yaml',
  'conversion.yaml',
  'rbac.yaml',
  'relay-rbac.yaml',
  'tenant-everywhere.yaml',
];
const takenAway = new Set(['ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding', 'ClusterRoleBinding']);
const mutating = objectsIn('default-cache.yaml').toReversed();

/** Bindings before policies, and what lets kpackless in last: it may run where no Deployment says so, as on AWS. */
const ourRules = (): readonly KubeObject[] => {
  const all = files.flatMap((file) => objectsIn(file)).filter(({ kind = '' }) => takenAway.has(kind));
  return [
    ...all.filter(({ kind }) => kind === 'ValidatingAdmissionPolicyBinding'),
    ...all.filter(({ kind }) => kind !== 'ValidatingAdmissionPolicyBinding'),
  ];
};

const takeRulesAway: MoveStep = {
  what: "kpackless' admission policies and its bindings for the whole cluster are deleted",
  byHand: ourRules()
    .map(({ kind = '', metadata }) => `kubectl delete ${kind.toLowerCase()} ${metadata?.name} --ignore-not-found`)
    .concat(
      '# where the API server serves MutatingAdmissionPolicy in v1beta1',
      'kubectl delete --ignore-not-found -f infra/cluster/default-cache.yaml',
    ),
  take: async ({ client }) => {
    const gone = new Set<string>();
    const isServed = (await defaultCachePolicy(client)).length > 0;
    for (const object of [...(isServed ? mutating : []), ...ourRules()]) {
      const found = await client.get(keyOf(object));
      if (found === undefined) continue;
      await client.delete({ ...found, kind: object.kind });
      gone.add(showKey(keyOf(object)));
    }
    return gone.size === 0
      ? 'there are none'
      : `${[...gone].join(', ')} deleted: kpackless may change nothing here any more`;
  },
};

const bringDefinitionsBack = ({ definitions, permissions }: KpackInstallation): MoveStep => ({
  what: "kpack's definitions and permissions",
  byHand: ['kubectl replace -f kpack-definitions.yaml', 'kubectl apply -f kpack-deployments.yaml'],
  take: async ({ client }, tell) => {
    for (const object of permissions)
      if ((await client.get(keyOf(object))) === undefined) await client.create(fresh(object));
    let replaced = 0;
    for (const then of definitions) {
      tell(then.metadata?.name ?? '');
      replaced += await replaceDefinition(client, then);
    }
    return replaced === 0 ? 'they are there' : `${replaced} definitions are kpack's again`;
  },
});

const mostTries = 5;

const replaceDefinition = async (client: Move['client'], then: LiveDefinition): Promise<number> => {
  for (let tries = 1; ; tries += 1) {
    const now = await client.get<LiveDefinition>(keyOf(then));
    if (now === undefined) {
      await client.create(fresh(then));
      return 1;
    }
    if (!isOurDefinition(now)) return 0;
    try {
      await client.replace(putBack(now, then));
      return 1;
    } catch (error) {
      if (!isKubeError(error, 'conflict') || tries >= mostTries) throw error;
    }
  }
};

const raiseWebhook = ({ webhook }: KpackInstallation): MoveStep => ({
  what: 'kpack-webhook runs again',
  byHand: ['kubectl -n kpack scale deployment kpack-webhook --replicas 1'],
  take: async (move, tell) => {
    if (webhook === undefined) return 'the backup has no kpack-webhook';
    const said = await raise(move, kpackWebhook, fresh(webhook));
    if (await available(move, kpackWebhook, tell)) return said;
    return `${said}, but none is ready after a minute: until one is, v1alpha1 and every write are refused. Look at kubectl -n kpack logs deployment/kpack-webhook`;
  },
});

const bringWebhooksBack = ({ webhooks }: KpackInstallation): MoveStep => ({
  what: "kpack's webhook configurations",
  byHand: ['kubectl create -f kpack-webhooks.yaml'],
  take: async ({ client }) => {
    const made: string[] = [];
    for (const object of webhooks) {
      if ((await client.get(keyOf(object))) !== undefined) continue;
      await client.create(fresh(object));
      made.push(showKey(keyOf(object)));
    }
    return made.length === 0 ? 'they are there' : `${made.join(', ')} made again`;
  },
});

const raiseController = ({ controller }: KpackInstallation): MoveStep => ({
  what: 'kpack-controller runs again',
  byHand: ['kubectl -n kpack scale deployment kpack-controller --replicas 1'],
  take: async (move) =>
    controller === undefined ? 'the backup has no kpack-controller' : raise(move, kpackController, fresh(controller)),
});

const forget: MoveStep = {
  what: 'the mark of the migration',
  byHand: [`kubectl annotate crd images.kpack.io ${backupAnnotation}-`],
  take: forgetBackup,
};

/** All, in order: ours ends before kpack begins, and kpack's webhook answers before it is asked. */
export const stepsBack = (installation: KpackInstallation): readonly MoveStep[] => [
  layOursDown,
  takeRulesAway,
  bringDefinitionsBack(installation),
  raiseWebhook(installation),
  bringWebhooksBack(installation),
  raiseController(installation),
  forget,
];
