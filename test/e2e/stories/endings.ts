/** Pods that end otherwise than by their steps, and containers of others in them: Kubernetes does it, and the Build ends rightly all the same. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commitFiles } from '../../../infra/local/git-repository.ts';
import type { Build, BuildSpec } from '../../../lib/api/build.ts';
import type { Builder } from '../../../lib/api/builder.ts';
import { buildPodName } from '../../../lib/api/names.ts';
import type { KubeObject } from '../../../lib/kube/object.ts';
import { conditionOf, statusOf } from '../../../lib/reconcile/conditions.ts';
import { injections } from '../../recorded/injections.ts';
import { injectLabel, startPodWebhook } from '../../support/pod-webhook.ts';
import { makeNamespace, steadyPlatform } from '../objects.ts';
import { bareCondition, type LivePod } from '../observe.ts';
import type { Story } from '../story.ts';
import type { Suite } from '../suite.ts';
import { patienceSeconds, waitFor } from '../wait.ts';

const run = promisify(execFile);
const namespace = 'endings';
/** A place on the node that nothing else asks for: who is preempted for it is known. */
const place = { requests: { 'kpackless.dev/place': '1' }, limits: { 'kpackless.dev/place': '1' } };
const long = { 'slow-build': '10' };

interface Begun {
  readonly files?: Readonly<Record<string, string>>;
  readonly spec?: Partial<BuildSpec>;
  readonly inject?: string;
  readonly pullsWith?: string;
}

const begun: Readonly<Record<string, Begun>> = {
  evicted: { files: long },
  drained: { files: long },
  preempted: { files: long, spec: { priorityClassName: 'endings-low', resources: place } },
  hungry: {
    files: { 'build-script': 'dd if=/dev/zero of=/dev/null bs=900M count=2\n' },
    spec: { resources: { requests: { memory: '100Mi' }, limits: { memory: '300Mi' } } },
  },
  native: { inject: 'native-sidecar' },
  plain: { inject: 'plain-sidecar' },
  'ends-at-once': { inject: 'ends-at-once' },
  'fails-at-once': { inject: 'fails-at-once' },
  unmounted: { pullsWith: 'puller' },
};

const ask = async ({ transport }: Suite, method: 'POST' | 'PATCH', path: string, body: object): Promise<void> => {
  const contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
  await transport.send({ method, path, body: JSON.stringify(body), contentType });
};

const makeBuild = async (suite: Suite, builder: string, name: string): Promise<void> => {
  const { files = {}, spec = {}, inject, pullsWith } = begun[name] ?? {};
  const { gitRoot, gitHost } = suite.cluster;
  const content = { 'index.html': name, ...files };
  await commitFiles({ gitRoot, repository: `endings-${name}`, files: content, message: name, at: new Date() });
  await suite.kube.create({
    apiVersion: 'kpack.io/v1alpha2',
    kind: 'Build',
    metadata: {
      namespace,
      name,
      annotations: { 'build.kpack.io/podRetrySeconds': '1' },
      ...(inject !== undefined && { labels: { [injectLabel]: inject } }),
    },
    spec: {
      tags: [`${suite.registry}/apps/endings-${name}`],
      builder: { image: builder, ...(pullsWith !== undefined && { imagePullSecrets: [{ name: pullsWith }] }) },
      serviceAccountName: 'builder',
      source: { git: { url: `http://${gitHost}/endings-${name}.git`, revision: 'main' } },
      ...spec,
    },
  } as KubeObject);
};

const buildNow = ({ kube }: Suite, name: string) => kube.get<Build>({ kind: 'Build', namespace, name });
const podNow = ({ kube }: Suite, name: string) =>
  kube.get<LivePod>({ kind: 'Pod', namespace, name: buildPodName(name) });

/** The Build as soon as it is so. */
const buildWhen = (suite: Suite, name: string, isSo: (build: Build | undefined) => boolean): Promise<Build> => {
  let build: Build | undefined;
  return waitFor(
    async () => {
      build = await buildNow(suite, name);
      return isSo(build) && build;
    },
    { what: `Build ${namespace}/${name}`, seconds: patienceSeconds, seen: () => build?.status },
  );
};
const hasEnded = (build: Build | undefined): boolean => ['True', 'False'].includes(statusOf(build, 'Succeeded') ?? '');

/** The pod of the Build, once its step `build` runs. */
const building = async (suite: Suite, name: string): Promise<LivePod> =>
  waitFor(
    async () => {
      const pod = await podNow(suite, name);
      const runs = pod?.status?.initContainerStatuses?.some(
        (one) => one.name === 'build' && one.state?.running !== undefined,
      );
      return runs === true && pod;
    },
    { what: `step build of ${namespace}/${name}` },
  );

/**
 * Takes the pod away, which then stays until its Build has told of that: of a pod that is gone nobody can say who deleted it, and on a busy machine it is gone
 * before anybody looks.
 */
const held = async (suite: Suite, name: string, takeAway: () => Promise<void>): Promise<void> => {
  await building(suite, name);
  const hold = (finalizers: readonly string[] | null): Promise<void> =>
    ask(suite, 'PATCH', `/api/v1/namespaces/${namespace}/pods/${buildPodName(name)}`, { metadata: { finalizers } });
  await hold(['kpackless.dev/held']);
  try {
    await takeAway();
    const isTold = (build: Build | undefined): boolean =>
      conditionOf(build, 'Succeeded')?.message?.includes('Eviction API') === true;
    await buildWhen(suite, name, isTold);
  } finally {
    await hold(null);
  }
};

const evict = (suite: Suite, name: string): Promise<void> => held(suite, name, () => evictPod(suite, name));

const evictPod = async (suite: Suite, name: string): Promise<void> => {
  const path = `/api/v1/namespaces/${namespace}/pods/${buildPodName(name)}/eviction`;
  const metadata = { namespace, name: buildPodName(name) };
  await ask(suite, 'POST', path, { apiVersion: 'policy/v1', kind: 'Eviction', metadata });
};

/** Drains the node of this one pod. Everybody else's pods are kept waiting for no longer than that takes. */
const drain = (suite: Suite, name: string): Promise<void> => held(suite, name, () => drainPod(suite, name));

const drainPod = async (suite: Suite, name: string): Promise<void> => {
  const { kubectlPath, kubeconfigPath } = suite.cluster;
  const kubectl = (...args: readonly string[]) => run(kubectlPath, ['--kubeconfig', kubeconfigPath, ...args]);
  const options = ['--force', '--delete-emptydir-data', '--ignore-daemonsets', '--timeout=1s'];
  // It waits for the pod to be gone, which is not waited for here: its end is what the Build tells.
  await kubectl('drain', 'node1', `--pod-selector=kpack.io/build=${name}`, ...options).catch(() => undefined);
  await kubectl('uncordon', 'node1');
};

/** A pod of a higher class that needs the one place there is, for a moment. */
const pushAside = async (suite: Suite, name: string): Promise<void> => {
  await building(suite, name);
  await ask(suite, 'POST', `/api/v1/namespaces/${namespace}/pods`, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'important' },
    spec: {
      priorityClassName: 'endings-high',
      restartPolicy: 'Never',
      containers: [{ name: 'it', image: suite.images.run, command: ['sleep', '2'], resources: place }],
    },
  });
};

const takenAway = [
  ['evicted', 'Evicted', 1, 'Eviction API: evicting', evict],
  ['drained', 'Evicted', 1, 'Eviction API: evicting', drain],
  ['preempted', 'Preempted', 0, 'preempting to accommodate a higher priority pod', pushAside],
] as const;

/** Nine Builds, each with an end of its own. */
export const endings: Story = {
  begin: async (suite) => {
    await makeNamespace(suite, namespace);
    for (const [name, value] of [
      ['endings-low', 1],
      ['endings-high', 1000],
    ] as const)
      await ask(suite, 'POST', '/apis/scheduling.k8s.io/v1/priorityclasses', {
        apiVersion: 'scheduling.k8s.io/v1',
        kind: 'PriorityClass',
        metadata: { name },
        value,
      });
    const capacity = { 'kpackless.dev/place': '1' };
    await ask(suite, 'PATCH', '/api/v1/nodes/node1/status', { status: { capacity } });
  },

  tell: (the) => {
    describe('a build whose pod does not end by its steps', () => {
      let webhook: AsyncDisposable | undefined;
      let ends: Promise<unknown>;

      beforeAll(async () => {
        webhook = await startPodWebhook(the().transport, injections(the().images.run));
        const builder = await waitFor(
          async () => {
            const key = { kind: 'ClusterBuilder', namespace: '', name: steadyPlatform };
            const found = await the().kube.get<Builder>(key);
            return statusOf(found, 'Ready') === 'True' && found?.status?.latestImage;
          },
          { what: 'the builder' },
        );
        for (const name of Object.keys(begun)) await makeBuild(the(), builder, name);
        ends = Promise.allSettled(takenAway.map(([name, , , , takeAway]) => takeAway(the(), name)));
      });

      afterAll(async () => {
        const build = await buildNow(the(), 'unmounted');
        await the().kube.delete({ ...build, kind: 'Build' });
        await webhook?.[Symbol.asyncDispose]();
      });

      it.each(takenAway)('is tried again when it was %s', async (name, reason, used, words) => {
        const waiting = await buildWhen(
          the(),
          name,
          (build) => hasEnded(build) || conditionOf(build, 'Succeeded')?.message?.includes('pod 2,') === true,
        );
        expect(bareCondition(waiting, 'Succeeded')?.message).toContain(words);
        expect(bareCondition(waiting, 'Succeeded')?.message).toContain(`pod 2, ${used} of 3 retries used`);
        const build = await buildWhen(the(), name, hasEnded);
        expect(await ends).toMatchObject([{ status: 'fulfilled' }, { status: 'fulfilled' }, { status: 'fulfilled' }]);
        expect(bareCondition(build, 'Succeeded')).toMatchObject({ status: 'True', reason: 'Completed' });
        expect(bareCondition(build, 'Succeeded')?.message).toContain(`tried again: ${reason}: `);
      });

      it('names the step that had too little memory', async () => {
        const build = await buildWhen(the(), 'hungry', hasEnded);
        expect(bareCondition(build, 'Succeeded')).toMatchObject({ status: 'False', reason: 'Failed' });
        expect(bareCondition(build, 'Succeeded')?.message).toMatch(/-c build`.*too little memory/su);
      });

      it.each(['native', 'ends-at-once', 'fails-at-once'])(
        'succeeds whatever a container of others does: %s',
        async (name) => {
          const build = await buildWhen(the(), name, hasEnded);
          expect(bareCondition(build, 'Succeeded')).toMatchObject({ status: 'True', reason: 'Completed' });
        },
      );

      it('has its result though a container of others runs on, and its pod is ended', async () => {
        const build = await buildWhen(the(), 'plain', hasEnded);
        expect(bareCondition(build, 'Succeeded')).toMatchObject({ status: 'True', reason: 'Completed' });
        const pod = await waitFor(
          async () => {
            const found = await podNow(the(), 'plain');
            return found?.status?.phase === 'Failed' && found;
          },
          { what: 'the pod to end' },
        );
        expect(pod.status?.reason).toBe('DeadlineExceeded');
        expect(bareCondition(await buildNow(the(), 'plain'), 'Succeeded')).toMatchObject({ status: 'True' });
      });

      it('names the Secret that its pod cannot be mounted without', async () => {
        const build = await buildWhen(
          the(),
          'unmounted',
          (found) => conditionOf(found, 'Succeeded')?.reason === 'MissingSecret',
        );
        expect(bareCondition(build, 'Succeeded')?.message).toContain('Secret "puller"');
      });
    });
  },
};
