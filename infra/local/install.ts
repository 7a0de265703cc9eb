/** Puts kpackless' definitions and permissions into a cluster, and refuses where that would be somebody else's (DESIGN §3.20). */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CustomResourceDefinition } from 'kubernetes-types/apiextensions/v1.d.ts';
import type { Secret } from 'kubernetes-types/core/v1.d.ts';
import { parseAllDocuments } from 'yaml';
import { crdName, type Kind, kinds } from '../../lib/api/kinds.ts';
import { converterAsked } from '../../lib/conversion/trust.ts';
import { ExpectedError } from '../../lib/errors/expected.ts';
import type { KubeClient } from '../../lib/kube/client.ts';
import type { KubeObject } from '../../lib/kube/object.ts';
import { type Converter, definitionOf } from '../crds/definition.ts';
import { tracesOfKpack, wayOutOfKpack } from '../crds/whose-cluster.ts';
import { defaultCachePolicy } from '../default-cache.ts';

type Definition = CustomResourceDefinition & KubeObject;

const clusterFolder = join(import.meta.dirname, '..', 'cluster');
const allKinds = Object.keys(kinds) as readonly Kind[];

const documents = (file: string): readonly KubeObject[] =>
  parseAllDocuments(readFileSync(join(clusterFolder, file), 'utf8')).map((document) => document.toJS() as KubeObject);

const definitionKey = (kind: Kind) => ({ kind: 'CustomResourceDefinition', namespace: '', name: crdName(kind) });

/** One sentence why kpackless must not be installed here; undefined when it may. Nothing is written. */
export const whyNotInstall = async (kube: KubeClient): Promise<string | undefined> => {
  const [first, ...more] = await tracesOfKpack(kube);
  if (first === undefined) return undefined;
  const others = more.length === 0 ? '' : ` and ${more.length} more`;
  return `kpack runs in this cluster, or did (${first}${others}), and two controllers would build everything twice: ${wayOutOfKpack}`;
};

const isEstablished = (definition: Definition | undefined): boolean =>
  definition?.status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True') ?? false;

/** Waits until the API server serves every kind. */
const established = async (kube: KubeClient, until: number): Promise<void> => {
  for (const kind of allKinds)
    while (!isEstablished(await kube.get<Definition>(definitionKey(kind)))) {
      if (Date.now() > until) throw new ExpectedError(`the API server does not serve ${crdName(kind)} after a minute`);
      await sleep(200);
    }
};

/**
 * Applies definitions, RBAC and admission policies; `tenantEverywhere` also grants builds in all namespaces, and v1alpha1 is served when there is a
 * `converter` that the API server reaches; without, whoever was asked before is asked still. Doing it again changes nothing.
 */
export const install = async (
  kube: KubeClient,
  { tenantEverywhere, converter }: { readonly tenantEverywhere: boolean; readonly converter?: Converter | undefined },
): Promise<void> => {
  await Promise.all(
    allKinds.map(async (kind) =>
      kube.apply(definitionOf(kind, { converter: converter ?? (await converterAsked(kube, kind)) })),
    ),
  );
  const files = [
    'rbac.yaml',
    'admission.yaml',
    ...(converter === undefined ? [] : ['conversion.yaml']),
    'relay-rbac.yaml',
    'relay-in-process.yaml',
    ...(tenantEverywhere ? ['tenant-everywhere.yaml'] : []),
  ];
  for (const object of [...files.flatMap(documents), ...(await defaultCachePolicy(kube))]) await kube.apply(object);
  await established(kube, Date.now() + 60_000);
};

/** A cluster as somebody reaches it. */
export interface ClusterAddress {
  readonly server: string;
  readonly caData: string;
}

/**
 * Writes a kubeconfig for ServiceAccount kpack/kpackless, so that everything runs with kpackless' own permissions and not with
 * those of whoever started it. The file is readable by its owner only.
 */
export const writeOwnKubeconfig = async (
  kube: KubeClient,
  { server, caData }: ClusterAddress,
  path: string,
): Promise<void> => {
  const key = { kind: 'Secret', namespace: 'kpack', name: 'kpackless-token' };
  const existing = await kube.get<Secret & KubeObject>(key);
  if (existing === undefined)
    await kube.create<Secret & KubeObject>({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name: key.name,
        namespace: key.namespace,
        annotations: { 'kubernetes.io/service-account.name': 'kpackless' },
      },
      type: 'kubernetes.io/service-account-token',
    });
  let token = existing?.data?.['token'];
  for (let tries = 0; token === undefined && tries < 50; tries += 1) {
    await sleep(200);
    token = (await kube.get<Secret & KubeObject>(key))?.data?.['token'];
  }
  if (token === undefined)
    throw new ExpectedError('the cluster gave no token for ServiceAccount kpack/kpackless within 10 s');
  mkdirSync(dirname(path), { recursive: true });
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'kpackless',
    clusters: [{ name: 'cluster', cluster: { server, 'certificate-authority-data': caData } }],
    users: [{ name: 'kpackless', user: { token: Buffer.from(token, 'base64').toString('utf8') } }],
    contexts: [{ name: 'kpackless', context: { cluster: 'cluster', user: 'kpackless' } }],
  };
  writeFileSync(path, JSON.stringify(config, undefined, 2), { mode: 0o600 });
};
