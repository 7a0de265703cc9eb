/** Builds whose steps start at once, as their Images ask for: they build, fail, end and say so as those in sequence do, only sooner. */
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import { describe, expect, it } from 'vitest';
import { commitFiles } from '../../../infra/local/git-repository.ts';
import { buildStepsAnnotation } from '../../../lib/api/labels.ts';
import { appKey } from '../keys.ts';
import { makeImage, makeNamespace } from '../objects.ts';
import { bareCondition, buildOf, buildPod, endedBuild, type ImageKey, podWhen, readyAfter } from '../observe.ts';
import type { Story } from '../story.ts';
import type { Suite } from '../suite.ts';
import { verifiedSignatures } from '../verify.ts';
import { waitFor } from '../wait.ts';

const namespace = 'at-once';
const strict = 'at-once-strict';
const counted = 'at-once-counted';
const keyOf = (name: string): ImageKey => ({ namespace, name });
const parallel = { [buildStepsAnnotation]: 'parallel' };
const steps = ['prepare', 'analyze', 'detect', 'restore', 'build', 'export', 'completion'];

const resources = {
  requests: { cpu: '10m', memory: '48Mi' },
  limits: { memory: '700Mi', 'ephemeral-storage': '900Mi' },
} as const;

const begun: Readonly<Record<string, { readonly files: Readonly<Record<string, string>>; readonly build?: object }>> = {
  good: { files: { 'index.html': 'hello at once\n' }, build: { resources } },
  detect: { files: { 'fail-detect': '' } },
  build: { files: { 'fail-build': '' } },
  late: { files: { 'slow-build': '300' }, build: { buildTimeout: 20 } },
  cancelled: { files: { 'slow-build': '300' } },
  hungry: {
    files: { 'build-script': 'tail /dev/zero' },
    build: { resources: { limits: { memory: '150Mi' } } },
  },
};

const urlOf = ({ cluster }: Suite, name: string): string => `http://${cluster.gitHost}/at-once-${name}.git`;

const runs =
  (step: string) =>
  (pod: Pod): boolean =>
    pod.status?.containerStatuses?.some(({ name, state }) => name === step && state?.running !== undefined) ?? false;

/** What a pod with the same steps in sequence asks for, and no more. */
const quota = { hard: { 'requests.memory': resources.requests.memory, 'limits.memory': resources.limits.memory } };
/** No container may ask for less. */
const range = {
  limits: [
    { type: 'Container', min: { memory: '8Mi' }, defaultRequest: { memory: '16Mi' }, default: { memory: '900Mi' } },
  ],
};

/** Restricts a namespace by an object of a kind that kpackless has nothing to do with. */
const restrict = async ({ transport }: Suite, place: string, kind: string, spec: object): Promise<void> => {
  const body = JSON.stringify({ apiVersion: 'v1', kind, metadata: { name: 'restriction' }, spec });
  const path = `/api/v1/namespaces/${place}/${kind.toLowerCase()}s`;
  const { status } = await transport.send({ method: 'POST', path, body, contentType: 'application/json' });
  if (status !== 201) throw new Error(`${kind} was not made: ${status}`);
};

/** Each in its own way, in a namespace that lets in nothing but restricted pods. */
export const atOnce: Story = {
  begin: async (suite) => {
    const { cluster } = suite;
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    await makeNamespace(suite, namespace, [appKey.secret], labels);
    await makeNamespace(suite, strict, [], labels);
    await makeNamespace(suite, counted, [], labels);
    await restrict(suite, strict, 'LimitRange', range);
    await restrict(suite, counted, 'ResourceQuota', quota);
    for (const [name, { files, build }] of Object.entries(begun)) {
      await commitFiles({
        gitRoot: cluster.gitRoot,
        repository: `at-once-${name}`,
        files,
        message: name,
        at: new Date(),
      });
      const source = { git: { url: urlOf(suite, name), revision: 'main' } };
      const wanted = { source, annotations: parallel, ...(build === undefined ? {} : { build }) };
      await makeImage(suite, { namespace, name, ...wanted });
      if (name !== 'good') continue;
      for (const place of [strict, counted]) await makeImage(suite, { namespace: place, name, ...wanted });
    }
  },

  tell: (the) => {
    describe('a build whose steps start at once', () => {
      it('builds, signs, and says of its steps what one in sequence says', async () => {
        const image = await readyAfter(the(), keyOf('good'), 1);
        await verifiedSignatures(the(), image.status?.latestImage ?? '', [appKey.publicKey]);
        const pod = await podWhen(the(), keyOf('good'), 1);
        expect(pod.spec?.initContainers).toBeUndefined();
        expect(pod.spec?.containers.map(({ name }) => name)).toEqual(steps);
        expect(pod.spec).toMatchObject({ resources: { requests: resources.requests, limits: { memory: '700Mi' } } });
        const build = await buildOf(the(), keyOf('good'), 1);
        expect(build?.status?.stepsCompleted).toEqual(steps);
        expect(bareCondition(build, 'Succeeded')).toEqual({ type: 'Succeeded', status: 'True', reason: 'Completed' });
        const text = the().logStore.textAt(bareCondition(build, 'LogsArchived')?.message ?? '') ?? '';
        expect(text.match(/^===> .*$/gm)).toEqual(steps.map((step) => `===> ${step.toUpperCase()}`));
      });

      it('runs in sequence where the namespace refuses its pod, and says so', async () => {
        const pod = await podWhen(the(), { namespace: strict, name: 'good' }, 1);
        expect(pod.spec?.initContainers).toHaveLength(6);
        expect(pod.metadata?.annotations?.['build.kpack.io/steps-in-sequence']).toContain(
          'minimum memory usage per Container',
        );
        await readyAfter(the(), { namespace: strict, name: 'good' }, 1);
      });

      it.each([
        ['detect', /Container detect terminated with error .*; exit code 20: /s],
        ['build', /Container build terminated with error .*failed to build/s],
      ])('fails in %s with that step’s words, and the others end at once', async (name, words) => {
        const build = await endedBuild(the(), keyOf(name), 1);
        expect(bareCondition(build, 'Succeeded')).toMatchObject({ status: 'False', reason: 'Failed' });
        expect(bareCondition(build, 'Succeeded')?.message).toMatch(words);
        const { status } = await podWhen(the(), keyOf(name), 1, ({ status }) => status?.phase === 'Failed');
        const ends = (status?.containerStatuses ?? []).map(({ state }) =>
          Date.parse(state?.terminated?.finishedAt ?? ''),
        );
        const failed = status?.containerStatuses?.find((one) => one.name === name)?.state?.terminated?.finishedAt ?? '';
        // A kubelet that has the machine alone says so within its second; the grace period of those that are not told would be 30 s.
        expect(Math.max(...ends) - Date.parse(failed)).toBeLessThanOrEqual(12_000);
      });

      it('ends when one of its steps is killed and can tell nobody', async () => {
        const build = await endedBuild(the(), keyOf('hungry'), 1);
        expect(bareCondition(build, 'Succeeded')).toMatchObject({ status: 'False', reason: 'Failed' });
        expect(bareCondition(build, 'Succeeded')?.message).toMatch(
          /Container build terminated.*too little memory|failed to build/s,
        );
        await podWhen(the(), keyOf('hungry'), 1, ({ status }) => status?.phase === 'Failed');
      });

      it('takes no longer than it may', async () => {
        const build = await endedBuild(the(), keyOf('late'), 1);
        expect(bareCondition(build, 'Succeeded')).toMatchObject({ status: 'False', reason: 'DeadlineExceeded' });
        expect(bareCondition(build, 'Succeeded')?.message).toMatch(
          /(Container \w+ terminated|Pod was active).*buildTimeout/s,
        );
      });

      it('is cancelled within moments', async () => {
        await podWhen(the(), keyOf('cancelled'), 1, runs('completion'));
        const annotations = { 'build.kpack.io/cancel': '' };
        await the().kube.patch({ kind: 'Build', namespace, name: 'cancelled-build-1' }, { metadata: { annotations } });
        const asked = Date.now();
        expect(bareCondition(await endedBuild(the(), keyOf('cancelled'), 1), 'Succeeded')?.reason).toBe('Cancelled');
        await waitFor(async () => (await buildPod(the(), keyOf('cancelled'), 1)) === undefined, {
          what: 'the pod to go',
        });
        // The grace period, after which pods are killed that do not listen, is thirty seconds.
        expect(Date.now() - asked).toBeLessThan(20_000);
      });

      it('counts as much for a quota as one in sequence', async () => {
        const pod = await podWhen(the(), { namespace: counted, name: 'good' }, 1);
        expect(pod.spec?.initContainers).toBeUndefined();
        await readyAfter(the(), { namespace: counted, name: 'good' }, 1);
      });
    });
  },
};

/** Asked for → Ready again, milliseconds. */
const rebuilt = async (suite: Suite, key: ImageKey, number: number): Promise<number> => {
  const asked = performance.now();
  await suite.kube.patch(
    { kind: 'Image', ...key },
    { metadata: { annotations: { 'image.kpack.io/retry': `${number}` } } },
  );
  await readyAfter(suite, key, number);
  return Math.round(performance.now() - asked);
};

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

/** Trivial rebuilds, five in a row, in both forms. */
export const soonBuilt: Story = {
  begin: async (suite) => {
    await makeNamespace(suite, 'soon');
    const { cluster } = suite;
    const files = { 'index.html': 'soon\n' };
    await commitFiles({ gitRoot: cluster.gitRoot, repository: 'soon', files, message: 'soon', at: new Date() });
  },

  tell: (the) => {
    describe('a trivial rebuild', () => {
      it('takes little more than half as long when its steps start at once', async () => {
        const times: Record<string, number[]> = {};
        for (const form of ['sequential', 'parallel']) {
          const key = { namespace: 'soon', name: form };
          const source = { git: { url: `http://${the().cluster.gitHost}/soon.git`, revision: 'main' } };
          const begun = performance.now();
          await makeImage(the(), { ...key, source, annotations: { [buildStepsAnnotation]: form } });
          await readyAfter(the(), key, 1);
          const fresh = Math.round(performance.now() - begun);
          const all: number[] = [];
          for (const number of [2, 3, 4, 5, 6]) all.push(await rebuilt(the(), key, number));
          times[form] = all;
          process.stderr.write(
            `e2e: ${form}: fresh ${fresh} ms, rebuilds ${all.join(', ')} ms, median ${median(all)}\n`,
          );
        }
        expect(median(times['parallel'] ?? []) / median(times['sequential'] ?? [])).toBeLessThan(0.65);
      });
    });
  },
};
