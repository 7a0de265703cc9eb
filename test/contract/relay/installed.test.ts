/** The relay as Helm, kustomize and kubectl install it: the same objects, which a namespace of Pod Security `restricted` takes. */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Deployment } from 'kubernetes-types/apps/v1.d.ts';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { relayManifests } from '../../../infra/chart/render.ts';
import { binaryPath } from '../../../infra/local/cluster/binaries.ts';
import { PROGRAMS } from '../../../infra/local/cluster/programs.ts';
import { defaultCacheDir } from '../../../infra/local/cluster/state.ts';
import { type ApiServer, apiServerIsHere, startApiServer } from '../../support/api-server.ts';
import { goProgram } from '../../support/oracle-install.ts';
import { reportMissing } from '../../support/oracle-process.ts';

const run = promisify(execFile);
const infra = fileURLToPath(new URL('../../../infra', import.meta.url));
const image = `registry.invalid/relay@sha256:${'1'.repeat(64)}`;
const queueUrlPrefix = 'https://sqs.eu-west-1.amazonaws.com/123456789012/kpackless-prod-';

interface Named {
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

const objectsIn = (text: string): readonly Named[] =>
  parseAllDocuments(text)
    .map((document) => document.toJS() as Named | null)
    .filter((object) => object !== null)
    .sort((a, b) => (`${a.kind}/${a.metadata.name}` < `${b.kind}/${b.metadata.name}` ? -1 : 1));

/** As docs/aws.md fills them in. */
const byKubectl = async (): Promise<readonly Named[]> => {
  const texts = await Promise.all(relayManifests.map((file) => readFile(join(infra, 'cluster', file), 'utf8')));
  const filled = texts
    .join('---\n')
    .replaceAll('REPLACE-RELAY-IMAGE', image)
    .replaceAll('REPLACE-REGION', 'eu-west-1')
    .replaceAll('REPLACE-ACCOUNT', '123456789012')
    .replaceAll('REPLACE-INSTALLATION', 'kpackless-prod')
    .replaceAll('REPLACE-CLUSTER', 'production');
  return objectsIn(filled);
};

const values = {
  image,
  region: 'eu-west-1',
  cluster: 'production',
  table: 'kpackless-prod',
  queueUrlPrefix,
};

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kpackless-relay-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('Helm', () => {
  let helm = '';
  const template = async (given: object, ...more: readonly string[]) => {
    const file = join(folder, 'values.json');
    await writeFile(file, JSON.stringify(given));
    const chart = join(infra, 'chart');
    return run(helm, ['template', 'relay', chart, '-n', 'kpack', '--kube-version', '1.34.0', '-f', file, ...more], {
      env: { HOME: folder, PATH: process.env['PATH'] },
    });
  };
  let missing: string | undefined;
  beforeAll(async () => {
    try {
      helm = await goProgram('oracle-helm', 'helm.sh/helm/v3/cmd/helm');
    } catch (error) {
      missing = reportMissing('Helm', error);
    }
  }, 660_000);

  it('makes of the chart what kubectl applies', async ({ skip }) => {
    skip(missing !== undefined, missing);
    expect(objectsIn((await template(values)).stdout)).toEqual(await byKubectl());
  });

  it('takes two replicas, a role for IRSA, more memory, nodes; in a namespace of its own', async ({ skip }) => {
    skip(missing !== undefined, missing);
    const roleArn = 'arn:aws:iam::123456789012:role/kpackless-relay-production';
    const more = {
      replicas: 2,
      roleArn,
      listEverything: true,
      memory: { request: '200Mi', limit: '256Mi' },
      nodeSelector: { 'kubernetes.io/arch': 'arm64' },
      tolerations: [{ key: 'a', operator: 'Exists' }],
    };
    const objects = objectsIn((await template({ ...values, ...more }, '-n', 'other')).stdout);
    const account = objects.find(({ kind }) => kind === 'ServiceAccount');
    expect(account?.metadata).toMatchObject({
      namespace: 'other',
      annotations: { 'eks.amazonaws.com/role-arn': roleArn },
    });
    expect(objects.find(({ kind }) => kind === 'Deployment')).toMatchObject({
      metadata: { namespace: 'other' },
      spec: {
        replicas: 2,
        template: {
          spec: {
            nodeSelector: more.nodeSelector,
            tolerations: more.tolerations,
            containers: [{ resources: { limits: { memory: '256Mi' } } }],
          },
        },
      },
    });
    expect(JSON.stringify(objects)).toContain('{"name":"KPACKLESS_LIST_EVERYTHING","value":"true"}');
    expect(objects.find(({ kind }) => kind === 'ClusterRoleBinding')).toMatchObject({
      subjects: [{ namespace: 'other' }],
    });
  });

  it('says of all values at once what is missing, wrong or unknown', async ({ skip }) => {
    skip(missing !== undefined, missing);
    const { image: _, ...rest } = values;
    const { stderr } = await template({ ...rest, regoin: 'eu-west-1', replicas: 3 }).catch(
      (error: { readonly stderr: string }) => error,
    );
    for (const name of ['/image', 'regoin', '/replicas']) expect(stderr).toContain(name);
  });
});

const kubectl = PROGRAMS.find(({ name }) => name === 'kubectl');

describe.runIf(apiServerIsHere)('kustomize', () => {
  it('fills the base in by an overlay, as docs/aws.md shows it', async () => {
    await cp(join(infra, 'cluster'), join(folder, 'cluster'), { recursive: true });
    const docs = await readFile(join(infra, '../docs/aws.md'), 'utf8');
    const [, overlay = ''] = /```yaml\n# kustomization\.yaml\n([^]*?)```/.exec(docs) ?? [];
    expect(overlay).toContain('resources:');
    const filled = overlay
      .replace(/- https:\S+/, '- ../cluster')
      .replace(/newName: .*/, 'newName: registry.invalid/relay')
      .replace(/digest: .*/, `digest: sha256:${'1'.repeat(64)}`);
    await cp(join(infra, 'cluster', 'kustomization.yaml'), join(folder, 'overlay', 'kustomization.yaml'));
    await writeFile(join(folder, 'overlay', 'kustomization.yaml'), filled);
    if (kubectl === undefined) throw new Error('kubectl is not among the programs');
    const { stdout } = await run(binaryPath(defaultCacheDir(), kubectl), ['kustomize', join(folder, 'overlay')]);
    expect(objectsIn(stdout)).toEqual(await byKubectl());
  });
});

describe.runIf(apiServerIsHere)('an API server', () => {
  let server: ApiServer;
  beforeAll(async () => {
    server = await startApiServer();
  });
  afterAll(async () => {
    await server?.stop();
  });

  it('05#1 takes the relay’s pod into a namespace of Pod Security restricted, and its disruption budget', async () => {
    const objects = await byKubectl();
    await server.api.ensure('/api/v1/namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'kpack', labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
    });
    const pods = '/api/v1/namespaces/kpack/pods';
    await server.api.ensure(
      '/api/v1/namespaces/kpack/serviceaccounts',
      objects.find(({ kind }) => kind === 'ServiceAccount') ?? {},
    );
    const deployment = objects.find(({ kind }) => kind === 'Deployment') as unknown as Deployment;
    const pod = (metadata: object, change: object = {}) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata,
      spec: { ...deployment.spec?.template.spec, ...change },
    });
    await vi.waitFor(() => server.api.ensure(pods, pod({ name: 'relay' })), { timeout: 10_000 });
    // It does refuse others.
    const others = server.api.send('POST', pods, pod({ name: 'other' }, { hostNetwork: true }));
    await expect(others).rejects.toThrow('violates PodSecurity');
    const budget = objects.find(({ kind }) => kind === 'PodDisruptionBudget');
    await server.api.ensure('/apis/policy/v1/namespaces/kpack/poddisruptionbudgets', budget ?? {});
    await server.api.ensure('/apis/apps/v1/namespaces/kpack/deployments', deployment);
  });
});
