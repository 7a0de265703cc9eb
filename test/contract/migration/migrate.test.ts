/** A cluster that runs kpack becomes kpackless' and kpack's again, with what kpack really made in it: on a real API server. */
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CustomResourceDefinition } from 'kubernetes-types/apiextensions/v1.d.ts';
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { definitions as definitionsOf } from '../../../infra/command/cluster/contents.ts';
import { definitionOf } from '../../../infra/crds/definition.ts';
import { tracesOfKpack } from '../../../infra/crds/whose-cluster.ts';
import { whyNotInstall } from '../../../infra/local/install.ts';
import type { Build } from '../../../lib/api/build.ts';
import type { Image } from '../../../lib/api/image.ts';
import { type Kind, kindNames } from '../../../lib/api/kinds.ts';
import { leftWithBuilderAnnotation } from '../../../lib/api/labels.ts';
import type { SourceResolver } from '../../../lib/api/source-resolver.ts';
import { isListed, type TakenOver, takenOverKey } from '../../../lib/builds/taken-over.ts';
import type { ImageBuilder } from '../../../lib/images/image-builder.ts';
import { imageReconciler } from '../../../lib/images/reconcile.ts';
import { type KubeClient, kubeClient } from '../../../lib/kube/client.ts';
import { controllerReference, type KubeObject, keyOf, showKey } from '../../../lib/kube/object.ts';
import { type KubeRequest, type KubeTransport, kubeTransport, transportWith } from '../../../lib/kube/transport.ts';
import type { LiveDefinition } from '../../../lib/migration/definitions.ts';
import {
  kpackController,
  kpackWebhook,
  kpackWebhookConfigurations,
  type LiveDeployment,
} from '../../../lib/migration/kpack.ts';
import { afterMove } from '../../../lib/migration/would-build.ts';
import { type ApiServer, apiServerIsHere, startApiServer } from '../../support/api-server.ts';
import { commandWorld, type Ran } from '../../support/command-run.ts';
import { golden } from '../../support/golden.ts';
import { type KpackWebhook, kpackDefinition, kpackWebhooks, startKpackWebhook } from '../../support/kpack-release.ts';
import { makeKpackWorld } from '../../support/kpack-world.ts';
import { runPass } from '../../support/run-pass.ts';

/** It failed, and its builder has been another since: kpack leaves it. */
const left = 'Build gold-flow/flow-build-7';
const definitionKey = (name: string) => ({ kind: 'CustomResourceDefinition', namespace: '', name });

/** What must be the same afterwards: everything but versions of the store, who owns which field, and the note on a failed Build. */
const content = (object: KubeObject): unknown => {
  const { resourceVersion: _version, ...metadata } = object.metadata ?? {};
  const {
    managedFields: _managed,
    annotations = {},
    ...rest
  } = metadata as typeof metadata & { readonly managedFields?: unknown };
  const { [leftWithBuilderAnnotation]: _left, ...others } = annotations;
  return { ...object, metadata: { ...rest, annotations: others } };
};

/** What a call that failed said; nothing of one that did not. */
const failure = ({ code, err }: Ran): string => (code === 0 ? '' : err);

describe.runIf(apiServerIsHere)('a cluster that runs kpack', () => {
  let server: ApiServer;
  let webhook: KpackWebhook;
  let transport: KubeTransport;
  let kube: KubeClient;
  const folder = mkdtempSync(join(tmpdir(), 'kpackless-migrate-'));
  const backup = join(folder, 'backup.yaml');
  const undo: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];

  /** The command; it dies when a write that looks so has been carried out. */
  const migrate = async (args: readonly string[], dies?: (request: KubeRequest) => boolean): Promise<Ran> => {
    const mortal = transportWith(transport, {
      send: async (request) => {
        const answer = await transport.send(request);
        if (request.method !== 'GET' && dies?.(request) === true) throw new Error('the process died');
        return answer;
      },
      close: () => undefined,
    });
    using world = commandWorld({
      reach: async () => ({ transport: mortal, client: kubeClient(mortal), close: () => undefined }),
    });
    return await world.run('migrate', ...args, '--context', 'test');
  };

  const all = async (kind: string): Promise<readonly KubeObject[]> => kube.list(kind);
  const everyObject = async (): Promise<readonly KubeObject[]> =>
    (await Promise.all(kindNames.map((kind) => all(kind)))).flat();
  const versions = async (): Promise<Readonly<Record<string, string | undefined>>> => {
    const kinds = [
      ...kindNames,
      'CustomResourceDefinition',
      'Deployment',
      'MutatingWebhookConfiguration',
      'ValidatingWebhookConfiguration',
      'ClusterRole',
    ];
    const objects = (await Promise.all(kinds.map((kind) => all(kind)))).flat();
    return Object.fromEntries(objects.map((object) => [showKey(keyOf(object)), object.metadata?.resourceVersion]));
  };
  const decisions = async () =>
    afterMove(
      {
        images: await kube.list<Image>('Image'),
        builds: await kube.list<Build>('Build'),
        resolvers: await kube.list<SourceResolver>('SourceResolver'),
        builders: [...(await kube.list<ImageBuilder>('Builder')), ...(await kube.list<ImageBuilder>('ClusterBuilder'))],
      },
      new Date(),
    );
  const definition = async (name: string): Promise<LiveDefinition> =>
    (await kube.get<LiveDefinition>(definitionKey(name))) ?? expect.fail(`${name} is gone`);
  const replicas = async (key: typeof kpackController): Promise<number | undefined> =>
    (await kube.get<LiveDeployment>(key))?.spec?.replicas;

  /** Of a Build that runs, as kpack made it. */
  const runningPod = async (): Promise<Pod & KubeObject> => {
    const { pods } = golden('default/git-branch.json') as { readonly pods: readonly (Pod & KubeObject)[] };
    const [recording] = pods;
    const build = await kube.get<Build>({ kind: 'Build', namespace: 'gold-default', name: 'git-branch-build-1' });
    if (recording === undefined || build === undefined) return expect.fail('no such Build was recorded');
    const { name = '', namespace, labels = {} } = recording.metadata ?? {};
    return {
      ...recording,
      kind: 'Pod',
      metadata: {
        name,
        ...(namespace !== undefined && { namespace }),
        labels,
        ownerReferences: [controllerReference(build)],
      },
    } as Pod & KubeObject;
  };

  let pod: Pod & KubeObject;
  let before: readonly unknown[];
  let kpacks: readonly CustomResourceDefinition['spec'][];
  /** Objects that lay in the store as v1alpha1, and every object's version then. */
  let older: readonly string[];
  let stored: Readonly<Record<string, string | undefined>>;
  let decided: Awaited<ReturnType<typeof decisions>>;

  beforeAll(async () => {
    webhook = await startKpackWebhook();
    undo.push(() => webhook.stop());
    server = await startApiServer();
    undo.push(() => server.stop());
    transport = kubeTransport(server.config);
    undo.push(() => transport.close());
    kube = kubeClient(transport);
    older = await makeKpackWorld(kube, transport, webhook);
    pod = await kube.create(await runningPod());
    before = (await everyObject()).map(content);
    kpacks = (await kube.list<LiveDefinition>('CustomResourceDefinition')).map(({ spec }) => spec);
    decided = await decisions();
    stored = await versions();
  }, 180_000);

  afterAll(async () => {
    for (const step of undo.toReversed()) await step();
  });

  it('is looked at without a change', async () => {
    const stood = await versions();
    const { code, json, err } = await migrate(['check', '--output', 'json']);
    expect({ code, err }).toStrictEqual({ code: 3, err: '' });
    const { checks } = json as {
      readonly checks: readonly { readonly what: string; readonly state: string; readonly said: string }[];
    };
    const said = (what: string): string => checks.find((one) => one.what === what)?.said ?? `nothing of ${what}`;
    expect(said('kpack-controller')).toContain('1 replicas, version 0.17.2');
    expect(said('MutatingWebhookConfiguration defaults.webhook.kpack.io')).toContain('migrate run deletes it');
    expect(said('conversion')).toContain(
      'images.kpack.io, builds.kpack.io, sourceresolvers.kpack.io, builders.kpack.io',
    );
    expect(said('images.kpack.io')).toContain('v1alpha1, v1alpha2');
    expect(said('priority classes')).toContain('kpack-build-high-priority');
    expect(said('grants in gold-default')).toContain('Secrets');
    expect(said('running Builds')).toMatch(/^\d+: migrate run lists their pods/);
    expect(said('Image gold-flow/flow')).toContain(
      'kpack does not try that again: nor does kpackless until the builder changes again',
    );
    expect(said('builds after the move')).toMatch(/^none: \d+ Images stay/);
    expect(checks.filter(({ state }) => state === 'unknown').map(({ what }) => what)).toStrictEqual(['kp-config']);
    expect(await versions()).toStrictEqual(stood);
  });

  it('is not changed by showing the steps', async () => {
    const stood = await versions();
    for (const option of ['--print', '--dry-run']) {
      const { code, out } = await migrate(['run', option]);
      expect({ code, steps: out.match(/^# \d\./gm)?.length }).toStrictEqual({ code: 0, steps: 8 });
    }
    expect(await versions()).toStrictEqual(stood);
  });

  it('is refused by an installation, which names the way', async () => {
    expect(await whyNotInstall(kube)).toContain('kpackless migrate run');
  });

  const writes = (method: string, path: RegExp, contentType?: string) => (request: KubeRequest) =>
    request.method === method &&
    path.test(request.path) &&
    (contentType === undefined || request.contentType?.includes(contentType) === true);

  it.each([
    ['its backup was marked', writes('PATCH', /customresourcedefinitions\/images/)],
    ['kpack-controller was laid down', writes('PATCH', /deployments\/kpack-controller/)],
    ['pods were listed', writes('PATCH', /configmaps\/kpackless-taken-over/)],
    ['one webhook configuration was deleted', writes('DELETE', /mutatingwebhook/)],
    ['a failure was noted', writes('PATCH', /builds\/flow-build-7/)],
    ['some objects were written again', writes('PUT', /\/images\//)],
    ['one of storedVersions was set', writes('PUT', /customresourcedefinitions\/images.*status/)],
    ['kpack-webhook was laid down', writes('PATCH', /deployments\/kpack-webhook/)],
    ['the spec of a definition was made ours', writes('PATCH', /customresourcedefinitions\/builds/, 'merge-patch')],
    ['some definitions were applied', writes('PATCH', /customresourcedefinitions\/builds/, 'apply-patch')],
    ['some permissions were applied', writes('PATCH', /clusterroles\/kpackless$/)],
  ])('loses nothing when a run dies after %s', async (_when, dies) => {
    expect(failure(await migrate(['run', '--backup', backup, '--no-conversion'], dies))).toContain('the process died');
    expect((await everyObject()).map(content)).toStrictEqual(before);
  });

  it('becomes kpackless’ with every object as it was', async () => {
    const ran = await migrate(['run', '--backup', backup, '--no-conversion']);
    expect(failure(ran)).toBe('');
    expect(ran.out).toContain('kpackless cluster add');
    expect((await everyObject()).map(content)).toStrictEqual(before);
    for (const kind of kindNames) {
      const { spec, status } = await definition(keyOf(definitionOf(kind)).name);
      expect(status?.storedVersions).toStrictEqual(['v1alpha2']);
      expect(spec.conversion).toStrictEqual({ strategy: 'None' });
    }
    expect(await definitionsOf(kube)).toMatchObject([{ state: 'well' }]);
    expect([await replicas(kpackController), await replicas(kpackWebhook)]).toStrictEqual([0, 0]);
    for (const key of kpackWebhookConfigurations) expect(await kube.get(key)).toBeUndefined();
  });

  it('has written again what was stored as v1alpha1, and nothing else but the note on a failed Build', async () => {
    const objects = (await everyObject()).map(
      (object) => [showKey(keyOf(object)), object.metadata?.resourceVersion] as const,
    );
    const rewritten = objects.filter(([name, version]) => stored[name] !== version).map(([name]) => name);
    expect(rewritten.toSorted()).toStrictEqual([...older, left].toSorted());
    expect(rewritten.length).toBeGreaterThan(20);
  });

  it('is then taken for kpackless’ by an installation, and makes no Build that was not due before', async () => {
    expect(await tracesOfKpack(kube)).toStrictEqual([]);
    expect(await whyNotInstall(kube)).toBeUndefined();
    const comes = (all: typeof decided): readonly string[] =>
      all.filter((one) => one.comes === 'build').map(({ image }) => image);
    expect([comes(decided), comes(await decisions())]).toStrictEqual([[], []]);
    expect(decided.filter((one) => one.comes === 'left').map(({ image }) => image)).toStrictEqual([
      'Image gold-flow/flow',
    ]);
    expect((await decisions()).filter((one) => one.comes === 'left')).toStrictEqual([]);
  });

  it('has the pod of a Build that runs listed, so that kpackless goes on with it', async () => {
    const [build] = (await kube.list<Build>('Build')).filter(({ metadata }) => metadata.name === 'git-branch-build-1');
    const list = await kube.get<TakenOver>(takenOverKey);
    expect(Object.keys(list?.data ?? {})).toStrictEqual([pod.metadata?.uid]);
    expect(build !== undefined && isListed(list, build, pod)).toBe(true);
  });

  it('has a backup that only its owner reads, with every object and no Secret', async () => {
    expect(statSync(backup).mode & 0o777).toBe(0o600);
    const kept = readFileSync(backup, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as KubeObject);
    const uids = new Set(kept.map(({ metadata }) => metadata?.uid));
    expect((before as readonly KubeObject[]).filter(({ metadata }) => !uids.has(metadata?.uid))).toStrictEqual([]);
    expect(
      [...new Set(kept.map(({ kind = '' }) => kind))].filter((kind) => !kindNames.includes(kind as Kind)),
    ).toStrictEqual([
      'CustomResourceDefinition',
      'MutatingWebhookConfiguration',
      'ValidatingWebhookConfiguration',
      'Deployment',
      'ClusterRole',
      'ClusterRoleBinding',
    ]);
  });

  it('is not changed by another run', async () => {
    const stood = await versions();
    expect(failure(await migrate(['run', '--backup', backup, '--no-conversion']))).toBe('');
    expect(await versions()).toStrictEqual(stood);
  });

  it('serves v1alpha1 through our Service when it is run with conversion', async () => {
    expect(failure(await migrate(['run', '--backup', backup]))).toBe('');
    const { spec } = await definition('images.kpack.io');
    expect(spec.versions.map(({ name }) => name).toSorted()).toStrictEqual(['v1alpha1', 'v1alpha2']);
    expect(spec.conversion?.webhook?.clientConfig).toStrictEqual({
      service: { namespace: 'kpack', name: 'kpackless-conversion', path: '/convert', port: 443 },
    });
  });

  it('shows the way back without a change', async () => {
    const stood = await versions();
    expect((await migrate(['back', '--backup', backup, '--print'])).code).toBe(0);
    expect(await versions()).toStrictEqual(stood);
  });

  it.each([
    ['a policy was deleted', writes('DELETE', /validatingadmissionpolic/)],
    ['some definitions were replaced', writes('PUT', /customresourcedefinitions\/builds/)],
    ['kpack-webhook was raised', writes('PATCH', /deployments\/kpack-webhook/)],
    ['one webhook configuration was made', writes('POST', /mutatingwebhook/)],
    ['kpack-controller was raised', writes('PATCH', /deployments\/kpack-controller/)],
  ])('loses nothing when going back dies after %s', async (_when, dies) => {
    expect(failure(await migrate(['back', '--backup', backup], dies))).toContain('the process died');
    expect((await everyObject()).map(content)).toStrictEqual(before);
  });

  it('is kpack’s again, with every object as it was', async () => {
    expect(failure(await migrate(['back', '--backup', backup]))).toBe('');
    expect((await kube.list<LiveDefinition>('CustomResourceDefinition')).map(({ spec }) => spec)).toStrictEqual(kpacks);
    expect((await definition('images.kpack.io')).metadata).toMatchObject({
      name: 'images.kpack.io',
      annotations: kpackDefinition('Image', webhook).metadata?.annotations,
    });
    expect((await definition('images.kpack.io')).metadata?.labels).toBeUndefined();
    expect([await replicas(kpackController), await replicas(kpackWebhook)]).toStrictEqual([1, 1]);
    for (const object of kpackWebhooks(webhook)) expect(await kube.get(keyOf(object))).toMatchObject(object);
    expect((await all('ValidatingAdmissionPolicy')).map(({ metadata }) => metadata?.name)).toStrictEqual([]);
    expect((await everyObject()).map(content)).toStrictEqual(before);
    webhook.asked.length = 0;
    await transport.send({ method: 'GET', path: '/apis/kpack.io/v1alpha1/namespaces/gold-flow/images/flow' });
    expect(webhook.asked).toContain('/convert');
  });

  it('moves once more with a backup anew, and passes of kpackless over every Image make no Build', async () => {
    const second = join(folder, 'second.yaml');
    expect(failure(await migrate(['run', '--backup', second, '--no-conversion']))).toBe('');
    expect(statSync(second).size).toBeGreaterThan(100_000);
    const names = async (): Promise<readonly string[]> =>
      (await all('Build')).map(({ metadata }) => `${metadata?.namespace}/${metadata?.name}`).toSorted();
    const builds = await names();
    const reconciler = imageReconciler({ priorityClasses: false });
    for (const image of await all('Image')) await runPass(reconciler, kube, keyOf(image));
    expect(await names()).toStrictEqual(builds);
    expect(builds.length).toBeGreaterThan(35);
  });
});
