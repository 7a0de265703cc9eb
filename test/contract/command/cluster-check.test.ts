/** `kpackless cluster add` and `check` on a real API server: what is applied is enough for every verb, and what is missing is found. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Way } from '../../../infra/command/reach.ts';
import { definitionOf } from '../../../infra/crds/definition.ts';
import { waitUntil } from '../../../infra/local/cluster/wait.ts';
import { convertedKinds } from '../../../lib/conversion/trust.ts';
import { PermanentError } from '../../../lib/errors/expected.ts';
import { type KubeClient, kubeClient } from '../../../lib/kube/client.ts';
import { tokenConfig } from '../../../lib/kube/kubeconfig.ts';
import type { KubeObject } from '../../../lib/kube/object.ts';
import { type KubeTransport, kubeTransport } from '../../../lib/kube/transport.ts';
import { WatchHistory } from '../../../lib/state/watch-history.ts';
import { type ApiServer, apiServerIsHere, startApiServer } from '../../support/api-server.ts';
import { fakeAws } from '../../support/command-aws.ts';
import { type CommandWorld, commandWorld } from '../../support/command-run.ts';

interface Found {
  readonly isWell: boolean;
  readonly checks: readonly { readonly what: string; readonly state: string; readonly said: string }[];
}

describe.runIf(apiServerIsHere)('a cluster that the command has added', () => {
  let server: ApiServer;
  let transport: KubeTransport;
  let own: KubeTransport;
  let admin: KubeClient;
  let world: CommandWorld;
  /** Whether the command can become kpackless, or has to ask for it. */
  let mayBecome = false;
  beforeAll(async () => {
    server = await startApiServer();
    transport = kubeTransport(server.config);
    admin = kubeClient(transport);
    world = commandWorld({
      aws: fakeAws().aws,
      reach: async ({ asKpackless }: Way) => {
        if (asKpackless === true && !mayBecome) throw new PermanentError('No', 'you may not become it');
        const used = asKpackless === true ? own : transport;
        return { transport: used, client: kubeClient(used), close: () => undefined };
      },
    });
    const added = ['cluster', 'add', 'one', '--secret', 'kpackless/prod/cluster/one', '--kubeconfig', 'mine'];
    const { code, err } = await world.run(...added, '--tenant-everywhere');
    if (code !== 0) throw new Error(err);
    const token = await admin.token({ namespace: 'kpack', name: 'kpackless' }, 'https://kubernetes.default.svc', 600);
    const caData = readFileSync(server.pki.ca.cert).toString('base64');
    own = kubeTransport(tokenConfig(server.url, caData, () => Promise.resolve(token)));
    await new WatchHistory(world.table).epoch('one', 'uid');
  }, 120_000);
  afterAll(async () => {
    own?.close();
    transport?.close();
    world?.[Symbol.dispose]();
    await server?.stop();
  });

  const check = async (): Promise<Found> =>
    (await world.run('cluster', 'check', 'one', '--output', 'json')).json as Found;
  const stateOf = ({ checks }: Found, what: string) => checks.find((one) => one.what.startsWith(what));

  it('has leave for every verb of the RBAC that was applied, asked as itself', async () => {
    mayBecome = true;
    const found = await check();
    expect(stateOf(found, 'functions (')).toEqual({
      what: 'functions (asked as kpackless itself)',
      state: 'well',
      said: 'all 125 verbs are allowed',
    });
    expect(stateOf(found, 'builds')).toMatchObject({ state: 'well' });
    expect(stateOf(found, 'definitions')).toMatchObject({ state: 'well' });
    expect(stateOf(found, 'policies')).toMatchObject({ state: 'well' });
    expect(stateOf(found, 'API server')).toMatchObject({ state: 'well' });
  });

  it('05#44 is said to serve no v1alpha1 while nobody converts, and that it cannot be converted where nobody answers', async () => {
    expect(stateOf(await check(), 'v1alpha1')).toMatchObject({
      state: 'unknown',
      said: expect.stringContaining('not served') as string,
    });
    for (const kind of convertedKinds)
      await admin.apply(definitionOf(kind, { converter: { url: 'https://127.0.0.1:1/convert' } }));
    const isSeen = async (): Promise<boolean> => stateOf(await check(), 'v1alpha1')?.state === 'wrong';
    await waitUntil(isSeen, { what: 'the definition with a converter to be served', timeout: 20_000 });
    expect(stateOf(await check(), 'v1alpha1')?.said).toMatch(/it cannot be converted: .*conversion webhook/);
    expect(stateOf(await check(), 'definitions')).toMatchObject({ state: 'well' });
    for (const kind of convertedKinds) await admin.apply(definitionOf(kind));
  }, 60_000);

  it('has it, asked about by an administrator', async () => {
    mayBecome = false;
    expect(stateOf(await check(), 'functions (asked for group kpackless)')).toMatchObject({ state: 'well' });
  });

  it('has a relay that may do nothing until its permissions are applied', async () => {
    expect(stateOf(await check(), 'relay, permissions')).toMatchObject({ state: 'wrong' });
    const { objectsIn } = await import('../../../infra/command/manifests.ts');
    for (const object of objectsIn('relay-rbac.yaml')) await admin.apply(object);
    expect(stateOf(await check(), 'relay, permissions')).toMatchObject({ state: 'well' });
  });

  it('without leave to build names each namespace that has Images', async () => {
    const key = { kind: 'ClusterRoleBinding', namespace: '', name: 'kpackless-tenant' };
    await admin.delete((await admin.get<KubeObject>(key)) ?? {});
    await admin.create({
      apiVersion: 'kpack.io/v1alpha2',
      kind: 'Image',
      metadata: { name: 'app', namespace: 'default' },
      spec: {
        tag: 'registry.example/app',
        builder: { kind: 'Builder', name: 'b' },
        source: { git: { url: 'https://git.example/app', revision: 'y' } },
      },
    } as KubeObject);
    const { code, out } = await world.run('cluster', 'check', 'one');
    expect(code).toBe(3);
    expect(out).toMatch(/WRONG +builds in default +may not get secrets in default, get configmaps in default/);
    expect(out).toContain('builds in default: kubectl -n default create rolebinding kpackless-tenant');
    expect(out).toMatch(/ok +git git\.example from here +answers \(HTTP 200\)/);
  });

  it('without the policies that refuse what definitions cannot, or with others of their name, is found', async () => {
    const key = { kind: 'ValidatingAdmissionPolicyBinding', namespace: '', name: 'kpackless-older-fields' };
    await admin.delete((await admin.get<KubeObject>(key)) ?? {});
    const policy = { kind: 'ValidatingAdmissionPolicy', namespace: '', name: 'kpackless-doubts' };
    await admin.patch(policy, { spec: { failurePolicy: 'Fail' } });
    expect(stateOf(await check(), 'policies')).toMatchObject({
      state: 'wrong',
      said: 'ValidatingAdmissionPolicyBinding kpackless-older-fields is missing, ValidatingAdmissionPolicy kpackless-doubts is not that of this version',
    });
  });

  it('whose definitions are of another version is found', async () => {
    const name = 'images.kpack.io';
    const found = (await admin.get<KubeObject>({
      kind: 'CustomResourceDefinition',
      namespace: '',
      name,
    })) as unknown as {
      spec: {
        versions: { schema: { openAPIV3Schema: { properties: { spec: { properties: Record<string, unknown> } } } } }[];
      };
    };
    for (const { schema } of found.spec.versions) delete schema.openAPIV3Schema.properties.spec.properties['cosign'];
    await admin.replace(found as unknown as KubeObject);
    expect(stateOf(await check(), 'definitions')).toMatchObject({
      state: 'wrong',
      said: `${name} are not those of this version`,
    });
  });
});
