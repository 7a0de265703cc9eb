/** The page about moving by hand (docs/migration.md), line by line as it stands there, with kubectl on a real API server that is kpack's. */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { definitions as definitionsOf, policies } from '../../../infra/command/cluster/contents.ts';
import { tracesOfKpack } from '../../../infra/crds/whose-cluster.ts';
import { binaryPath } from '../../../infra/local/cluster/binaries.ts';
import { PROGRAMS } from '../../../infra/local/cluster/programs.ts';
import { defaultCacheDir } from '../../../infra/local/cluster/state.ts';
import { kindNames } from '../../../lib/api/kinds.ts';
import { type KubeClient, kubeClient } from '../../../lib/kube/client.ts';
import type { KubeObject } from '../../../lib/kube/object.ts';
import { type KubeTransport, kubeTransport } from '../../../lib/kube/transport.ts';
import type { LiveDefinition } from '../../../lib/migration/definitions.ts';
import {
  kpackController,
  kpackWebhook,
  kpackWebhookConfigurations,
  type LiveDeployment,
} from '../../../lib/migration/kpack.ts';
import { type ApiServer, apiServerIsHere, startApiServer } from '../../support/api-server.ts';
import { type KpackWebhook, startKpackWebhook } from '../../support/kpack-release.ts';
import { makeKpackWorld } from '../../support/kpack-world.ts';

const repository = fileURLToPath(new URL('../../..', import.meta.url));
const program = PROGRAMS.find(({ name }) => name === 'kubectl');
const kubectl = program === undefined ? '' : binaryPath(defaultCacheDir(), program);
if (!existsSync(kubectl))
  console.log('moving by hand is skipped: kubectl is not compiled yet (a first npm start does it)');

/** The commands of the page. */
const commandsOfPage = (): string => {
  const [, byHand = ''] = readFileSync(join(repository, 'docs', 'migration.md'), 'utf8').split('## By hand');
  const [, commands] = /```sh\n([\s\S]*?)```/.exec(byHand) ?? [];
  return commands ?? expect.fail('docs/migration.md has no commands by hand');
};

const content = ({ metadata, ...rest }: KubeObject): unknown => {
  const { resourceVersion: _, managedFields: __, ...others } = (metadata ?? {}) as Readonly<Record<string, unknown>>;
  return { ...rest, metadata: others };
};

describe.runIf(apiServerIsHere && existsSync(kubectl))('a cluster of kpack’s, moved by hand', () => {
  let server: ApiServer;
  let webhook: KpackWebhook;
  let transport: KubeTransport;
  let kube: KubeClient;
  let before: readonly unknown[];
  const folder = mkdtempSync(join(tmpdir(), 'kpackless-by-hand-'));

  const everyObject = async (): Promise<readonly unknown[]> =>
    (await Promise.all(kindNames.map((kind) => kube.list(kind)))).flat().map(content);

  beforeAll(async () => {
    webhook = await startKpackWebhook();
    server = await startApiServer();
    transport = kubeTransport(server.config);
    kube = kubeClient(transport);
    await makeKpackWorld(kube, transport, webhook);
    before = await everyObject();
    const { ca, admin } = server.pki;
    const kubeconfig = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'c', cluster: { server: server.url, 'certificate-authority': ca.cert } }],
      users: [{ name: 'u', user: { 'client-certificate': admin.cert, 'client-key': admin.key } }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    };
    writeFileSync(join(folder, 'kubeconfig'), JSON.stringify(kubeconfig), { mode: 0o600 });
    // The page is followed in a checkout; what it writes is not left in this one.
    symlinkSync(join(repository, 'infra'), join(folder, 'infra'));
  }, 180_000);

  afterAll(async () => {
    transport?.close();
    await server?.stop();
    await webhook?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('every command of the page does what it says', async () => {
    const env = {
      ...process.env,
      KUBECONFIG: join(folder, 'kubeconfig'),
      PATH: [dirname(kubectl), process.env['PATH']].join(delimiter),
    };
    const ran = promisify(execFile)('bash', ['-euo', 'pipefail', '-c', commandsOfPage()], { cwd: folder, env });
    await expect(ran).resolves.toMatchObject({ stdout: expect.stringContaining('kpackless-conversion') as string });
  }, 180_000);

  it('then it is kpackless’, with every field of every object', async () => {
    expect(await everyObject()).toEqual(before);
    expect(await tracesOfKpack(kube)).toEqual([]);
    for (const { status } of await kube.list<LiveDefinition>('CustomResourceDefinition'))
      expect(status?.storedVersions).toEqual(['v1alpha2']);
    expect([...(await definitionsOf(kube)), ...(await policies(kube))].map(({ state }) => state)).toEqual([
      'well',
      'well',
    ]);
    for (const key of [kpackController, kpackWebhook])
      expect((await kube.get<LiveDeployment>(key))?.spec?.replicas).toBe(0);
    for (const key of kpackWebhookConfigurations) expect(await kube.get(key)).toBeUndefined();
  });

  it('and what was kept has everything that was there', () => {
    const kept = (name: string): string => readFileSync(join(folder, `kpack-${name}.yaml`), 'utf8');
    expect(kept('objects').match(/^ {2}kind: /gm)?.length).toBe(before.length);
    expect(kept('definitions').match(/^ {2}kind: CustomResourceDefinition/gm)?.length).toBe(kindNames.length);
    expect(kept('webhooks').match(/^ {2}kind: \w+WebhookConfiguration/gm)?.length).toBe(2);
    expect(kept('deployments').match(/^ {2}kind: Deployment/gm)?.length).toBe(2);
  });
});
