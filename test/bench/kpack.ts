/**
 * kpack's own controller, to be measured beside ours. It is not built here: KPACK_CONTROLLER names one that is, KPACK_CONFIG the folder
 * of its manifests, both of the version whose behaviour is kept (docs/architecture.md).
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseAllDocuments } from 'yaml';
import { PermanentError } from '../../lib/errors/expected.ts';
import type { KubeObject } from '../../lib/kube/object.ts';
import type { World } from './world.ts';

/** Where it is. */
export interface KpackPlace {
  readonly controller: string;
  readonly config: string;
}

/** From the environment; undefined when it names none. @throws PermanentError when it names what is not there */
export const kpackPlace = (environment: Readonly<Record<string, string | undefined>>): KpackPlace | undefined => {
  const { KPACK_CONTROLLER: controller, KPACK_CONFIG: config } = environment;
  if (controller === undefined && config === undefined) return undefined;
  for (const [name, path] of Object.entries({ KPACK_CONTROLLER: controller, KPACK_CONFIG: config }))
    if (path === undefined || !existsSync(path))
      throw new PermanentError('Usage', `${name} must name what exists, as both are needed to measure beside kpack`);
  return { controller: controller ?? '', config: config ?? '' };
};

/** The user that it is in the audit log. */
export const kpackUser = 'system:serviceaccount:kpack:controller';

interface Definition extends KubeObject {
  readonly spec: { readonly versions: readonly { readonly storage: boolean }[] };
}

/** Its own definitions in place of ours, without the webhook that would convert and default. */
const replaceDefinitions = async ({ kube }: World, config: string): Promise<void> => {
  const documents = readdirSync(config)
    .filter((file) => /\.ya?ml$/.test(file))
    .flatMap((file) => parseAllDocuments(readFileSync(join(config, file), 'utf8')));
  for (const document of documents) {
    const object = document.toJS() as Definition | null;
    if (object?.kind !== 'CustomResourceDefinition') continue;
    const name = object.metadata?.name ?? '';
    const now = await kube.get<KubeObject>({ kind: 'CustomResourceDefinition', namespace: '', name });
    await kube.replace<Definition & { readonly spec: unknown }>({
      ...object,
      metadata: { name, resourceVersion: now?.metadata?.resourceVersion ?? '' },
      spec: {
        ...object.spec,
        conversion: { strategy: 'None' },
        versions: object.spec.versions.filter(({ storage }) => storage),
      } as Definition['spec'],
    });
  }
};

const logging = {
  'loglevel.controller': 'info',
  'zap-logger-config': JSON.stringify({
    level: 'info',
    encoding: 'json',
    outputPaths: ['stdout'],
    errorOutputPaths: ['stderr'],
    encoderConfig: { timeKey: 'ts', levelKey: 'level', messageKey: 'msg' },
  }),
};

const prepare = async (world: World, { config }: KpackPlace): Promise<string> => {
  await replaceDefinitions(world, config);
  const post = (path: string, object: object): Promise<unknown> =>
    world.transport.send({ method: 'POST', path, body: JSON.stringify(object) });
  const maps = { 'config-logging': logging, 'config-observability': {} };
  for (const [name, data] of Object.entries(maps))
    await post('/api/v1/namespaces/kpack/configmaps', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name },
      data,
    });
  await world.kube.apply({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'controller', namespace: 'kpack' },
  });
  await post('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'bench-kpack' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ kind: 'ServiceAccount', namespace: 'kpack', name: 'controller' }],
  });
  return world.kubeconfigOf('controller');
};

/** Starts it over the world's API server, in which ours must not run. `scale` is its SCALING_FACTOR. */
export const startKpack = async (
  world: World,
  place: KpackPlace,
  scale: number,
): Promise<{ readonly pid: number; stop(): Promise<void> }> => {
  const kubeconfig = await prepare(world, place);
  await sleep(3000); // the API server serves changed definitions some moments later
  const log = openSync(join(world.folder, 'kpack.log'), 'w');
  const step = world.images.run; // no pod ever starts here
  const child = spawn(place.controller, ['-kubeconfig', kubeconfig], {
    stdio: ['ignore', log, log],
    env: {
      PATH: process.env['PATH'],
      HOME: world.folder,
      SYSTEM_NAMESPACE: 'kpack',
      SYSTEM_SERVICE_ACCOUNT: 'controller',
      CONFIG_LOGGING_NAME: 'config-logging',
      CONFIG_OBSERVABILITY_NAME: 'config-observability',
      METRICS_DOMAIN: 'kpack.io',
      BUILD_INIT_IMAGE: step,
      REBASE_IMAGE: step,
      COMPLETION_IMAGE: step,
      BUILD_WAITER_IMAGE: step,
      SCALING_FACTOR: String(scale),
    },
  });
  const ended = once(child, 'exit');
  return {
    pid: child.pid ?? 0,
    stop: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
};
