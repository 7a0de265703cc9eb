/** Scenarios that take the node away, or some of what it has: one after another, each with the node for itself. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Node } from 'kubernetes-types/core/v1.d.ts';
import { stateLayout } from '../../infra/local/cluster/state.ts';
import { waitFor } from '../e2e/wait.ts';
import { both, hasPhase, isDisrupted, type Scenario } from './scenario.ts';
import { ask, bind, evict, pathOf, podOf, runs, type Stage } from './stage.ts';

const slow = { 'slow-build': '600' };
const node = '/api/v1/nodes/node1';
const ends = hasPhase('Failed');

/** What happens to the node, and how it is itself again. */
export interface NodeScenario {
  readonly scenarios: readonly Scenario[];
  /** Once the pods of all of them are as `ready` says. */
  readonly happens: (stage: Stage) => Promise<void>;
  readonly ready: Scenario['is'];
  readonly over: (stage: Stage) => Promise<void>;
}

const nodeNow = async ({ suite }: Stage): Promise<Node> =>
  JSON.parse((await suite.transport.send({ method: 'GET', path: node })).body) as Node;

const isReady = async (stage: Stage): Promise<void> => {
  await waitFor(
    async () => {
      const { spec, status } = await nodeNow(stage);
      const tainted = (spec?.taints ?? []).length > 0;
      return !tainted && status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True');
    },
    { what: 'the node', seconds: 120 },
  );
};

const stop = async ({ suite }: Stage, ...programs: readonly string[]): Promise<void> => {
  for (const program of programs) await suite.cluster.stopProgram(program);
};
const start = async (stage: Stage, ...programs: readonly string[]): Promise<void> => {
  for (const program of programs) await stage.suite.cluster.startProgram(program);
  await sleep(3_000);
  await isReady(stage);
};

const taint = (stage: Stage, taints: readonly object[]): Promise<void> =>
  ask(stage, 'PATCH', node, { spec: { taints } });
const outOfOrder = { key: 'kpackless.dev/out-of-order', value: 'x', effect: 'NoExecute' };

/** A pod that the node may not do without, put there past the scheduler. */
const critical = (stage: Stage, cpu: string): Promise<void> =>
  ask(stage, 'POST', '/api/v1/namespaces/kube-system/pods', {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'critical' },
    spec: {
      nodeName: 'node1',
      priorityClassName: 'system-node-critical',
      terminationGracePeriodSeconds: 0,
      containers: [
        { name: 'it', image: stage.suite.images.run, command: ['sleep', '600'], resources: { requests: { cpu } } },
      ],
    },
  });

/** A share of the node's processors. */
const share = async (stage: Stage, part: number): Promise<string> => {
  const { status } = await nodeNow(stage);
  return `${Math.floor(Number(status?.allocatable?.['cpu'] ?? '1') * 1000 * part)}m`;
};

/** Changes the kubelet's configuration while it is stopped. */
const configure = (stage: Stage, change: (config: Record<string, unknown>) => Record<string, unknown>): void => {
  const file = join(stateLayout(stage.suite.stateDir).conf, 'kubelet.json');
  writeFileSync(file, JSON.stringify(change(JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>)));
};
const usualEviction = { 'memory.available': '100Mi' };
const evictsFor = (stage: Stage, evictionHard: object): void =>
  configure(stage, (config) => ({
    ...config,
    evictionHard: { ...(config['evictionHard'] as object), ...evictionHard },
    evictionPressureTransitionPeriod: '5s',
  }));

/** All of them, in the order in which they are played. */
export const nodeScenarios: readonly NodeScenario[] = [
  {
    scenarios: [
      {
        name: 'rejected-cpu',
        row: 'phase `Failed`, message `Pod was rejected: …`; reasons `OutOfcpu`, `NodeAffinity`, `NodeShutdown`, `UnexpectedAdmissionError`, …',
        how: 'bound to a node that has no room for it, past the scheduler',
        build: { spec: { schedulerName: 'nobody', resources: { requests: { cpu: '500' } } } },
        is: ends,
      },
      {
        name: 'rejected-affinity',
        row: 'phase `Failed`, message `Pod was rejected: …`; reasons `OutOfcpu`, `NodeAffinity`, `NodeShutdown`, `UnexpectedAdmissionError`, …',
        how: 'bound to a node that its selector does not mean, past the scheduler',
        build: { spec: { schedulerName: 'nobody', nodeSelector: { 'kpackless.dev/nowhere': 'x' } } },
        is: ends,
      },
    ],
    ready: hasPhase('Pending'),
    happens: async (stage) => {
      await bind(stage, 'rejected-cpu');
      await bind(stage, 'rejected-affinity');
    },
    over: isReady,
  },
  {
    scenarios: [
      {
        name: 'tainted',
        row: 'condition `DisruptionTarget`, `DeletionByTaintManager`',
        how: 'a taint NoExecute on the node',
        build: { files: slow },
        is: both(ends, isDisrupted('DeletionByTaintManager')),
        event: 'TaintManagerEviction',
      },
    ],
    ready: runs('build'),
    happens: (stage) => taint(stage, [outOfOrder]),
    over: async (stage) => {
      await taint(stage, []);
      await isReady(stage);
    },
  },
  {
    scenarios: [
      {
        name: 'critical-pod',
        row: 'condition `DisruptionTarget`, `TerminationByKubelet`; reason `Preempting`',
        how: 'a pod of class system-node-critical on a node without room',
        build: {
          files: slow,
          spec: { resources: { requests: { cpu: '1' } } },
        },
        is: both(ends, isDisrupted('TerminationByKubelet')),
      },
    ],
    ready: runs('build'),
    happens: async (stage) => critical(stage, await share(stage, 0.99)),
    over: async (stage) => {
      await ask(stage, 'DELETE', '/api/v1/namespaces/kube-system/pods/critical');
      await isReady(stage);
    },
  },
  {
    scenarios: [
      {
        name: 'rejected-running',
        row: 'phase `Failed`, message `Pod was rejected: …`; reasons `OutOfcpu`, `NodeAffinity`, `NodeShutdown`, `UnexpectedAdmissionError`, …',
        how: 'running when its kubelet was restarted short of memory',
        build: { files: slow },
        is: ends,
      },
      {
        name: 'rejected-pressure',
        row: 'phase `Failed`, message `Pod was rejected: …`; reasons `OutOfcpu`, `NodeAffinity`, `NodeShutdown`, `UnexpectedAdmissionError`, …',
        how: 'bound to a node that is short of memory, past the scheduler',
        build: { spec: { schedulerName: 'nobody' } },
        act: async (stage, build) => {
          await podOf(stage, 'rejected-running', ends);
          await bind(stage, build);
        },
        is: ends,
      },
    ],
    ready: (pod) => runs('build')(pod) || pod.spec?.schedulerName === 'nobody',
    happens: async (stage) => {
      await stop(stage, 'kubelet');
      evictsFor(stage, { 'memory.available': '97%' });
      await stage.suite.cluster.startProgram('kubelet');
    },
    over: async (stage) => {
      await stop(stage, 'kubelet');
      evictsFor(stage, usualEviction);
      await start(stage, 'kubelet');
    },
  },
  {
    scenarios: [
      {
        name: 'deleted-node-silent',
        row: 'deleted, node silent',
        how: 'kubectl delete pod while the kubelet is stopped',
        build: { files: slow },
        is: ({ metadata }) => metadata?.deletionTimestamp !== undefined,
      },
      {
        name: 'deleted-then-tainted',
        row: 'deleted, node silent',
        how: 'the same, and the taint manager comes to it half a minute later',
        build: { files: slow },
        is: isDisrupted('DeletionByTaintManager'),
        seconds: 200,
      },
      {
        name: 'evicted-node-silent',
        row: 'disrupted, running',
        how: 'the eviction API while the kubelet is stopped',
        build: { files: slow },
        is: both((pod) => !ends(pod), isDisrupted('EvictionByEvictionAPI')),
      },
    ],
    ready: runs('build'),
    happens: async (stage) => {
      await stop(stage, 'kubelet');
      for (const build of ['deleted-node-silent', 'deleted-then-tainted']) await ask(stage, 'DELETE', pathOf(build));
      await evict(stage, 'evicted-node-silent');
      await sleep(35_000);
      await taint(stage, [outOfOrder]);
    },
    over: async (stage) => {
      await taint(stage, []);
      await start(stage, 'kubelet');
    },
  },
  {
    scenarios: [
      {
        name: 'node-gone',
        row: 'condition `DisruptionTarget`, `DeletionByPodGC`',
        how: 'the kubelet stopped, the Node deleted',
        build: { files: slow },
        is: both(ends, isDisrupted('DeletionByPodGC')),
        seconds: 200,
      },
    ],
    ready: runs('build'),
    happens: async (stage) => {
      await stop(stage, 'kubelet');
      await stage.events.first(({ reason }) => reason === 'NodeNotReady', 'the node to be found silent', 120);
      await ask(stage, 'DELETE', node);
    },
    over: (stage) => start(stage, 'kubelet'),
  },
];
