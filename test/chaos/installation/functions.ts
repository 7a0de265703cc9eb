/** The functions of an installation, wired as `functions/` wires them, for one process; every way out goes through the run's calls. */

import { blobPlaces } from '../../../lib/builders/blob-places.ts';
import { reconcileBuilder, reconcileClusterBuilder } from '../../../lib/builders/reconcile.ts';
import { reconcileBuildpack, reconcileClusterBuildpack } from '../../../lib/buildpackages/reconcile.ts';
import { accountRegistries } from '../../../lib/buildpacks/account-registry.ts';
import { configCache } from '../../../lib/buildpacks/fetch-image.ts';
import { buildReconciler } from '../../../lib/builds/reconcile.ts';
import { registryImages } from '../../../lib/builds/registry-images.ts';
import { buildWaker } from '../../../lib/builds/wake.ts';
import { type ClusterConnections, clusterConnections } from '../../../lib/clusters/connect.ts';
import { registrations } from '../../../lib/clusters/registrations.ts';
import { dependentsRunner } from '../../../lib/dependents/tell-dependents.ts';
import type { Invoke } from '../../../lib/embedded/queue.ts';
import { imageReconciler } from '../../../lib/images/reconcile.ts';
import { tokenConfig } from '../../../lib/kube/kubeconfig.ts';
import { reconcileClusterLifecycle } from '../../../lib/lifecycles/reconcile.ts';
import { type BatchPorts, type Receipts, runBatch } from '../../../lib/queue/batch.ts';
import { wordFor } from '../../../lib/queue/comes-again.ts';
import type { Sender } from '../../../lib/queue/send.ts';
import { type MayWake, mayWake as senderMayWake } from '../../../lib/queue/senders.ts';
import type { Log } from '../../../lib/reconcile/log.ts';
import type { Received } from '../../../lib/reconcile/received.ts';
import type { Reconcilable, Reconciler } from '../../../lib/reconcile/reconciler.ts';
import { passRunner } from '../../../lib/reconcile/run.ts';
import { gitPollRunner } from '../../../lib/sources/git-poll-pass.ts';
import { defaultPollSettings } from '../../../lib/sources/polling.ts';
import { sourceResolverReconciler } from '../../../lib/sources/reconcile.ts';
import { reconcileClusterStack } from '../../../lib/stacks/reconcile.ts';
import { Circuits } from '../../../lib/state/circuits.ts';
import { Clusters } from '../../../lib/state/clusters.ts';
import { HostCircuits } from '../../../lib/state/host-circuits.ts';
import { PollPages } from '../../../lib/state/poll-pages.ts';
import { Polls } from '../../../lib/state/polls.ts';
import { Records } from '../../../lib/state/records.ts';
import { Slots } from '../../../lib/state/slots.ts';
import type { Table } from '../../../lib/state/table.ts';
import { reconcileClusterStore } from '../../../lib/stores/reconcile.ts';
import type { World } from '../world.ts';

/** What one process has of its own. */
export interface ProcessParts {
  readonly world: World;
  readonly table: Table;
  readonly sender: Sender;
  readonly receipts: (queue: string) => Receipts;
  /** Ids of the installation's own roles; `any` where queues are in one process with their senders. */
  readonly own: 'any' | readonly string[];
  readonly log: Log;
  /** What a relay in this process has received. */
  readonly received?: Received | undefined;
}

/** The builds that may run at once in one namespace: few, so that the cap has something to do. */
const buildsPerNamespace = 3;

const program = (name: string) => ({ image: 'registry.example/steps', command: [`/cnb/process/${name}`] });

type RunPass = BatchPorts['runPass'];

/** What the functions of a process share, and each function by the name of its queue, made when it is first asked for. */
export interface ProcessFunctions {
  readonly connections: ClusterConnections;
  readonly mayWake: MayWake;
  readonly functionOf: (queue: string) => Invoke;
}

const unasked = (): Promise<never> => Promise.reject(new Error('nobody is asked for an identity here'));

export const functionsOf = (parts: ProcessParts): ProcessFunctions => {
  const { world, table, sender, log, own, receipts, received } = parts;
  const clock = (): Date => new Date();
  const random = (): number => Math.random();
  const known = registrations(new Clusters(table), clock);
  const connections = clusterConnections({
    registrations: known,
    credentials: unasked,
    clock,
    random,
    accessOf: () => ({
      read: () => Promise.resolve({ config: tokenConfig('https://cluster.test', '', unasked), mark: '' }),
    }),
    connect: () => world.api.transport(),
  });
  const kube = connections.client;
  const mayWake = senderMayWake({ own, relayRoleId: async (name) => (await known.get(name))?.relayRoleId });
  const ports = {
    records: new Records(table),
    circuits: new Circuits(table),
    sender,
    kube,
    clock,
    random,
    log,
    ...(received === undefined ? {} : { received }),
  };
  const registries = {
    registryFor: accountRegistries({ transport: { fetch: world.registry.fetch } }),
    configs: configCache(),
    pollSeconds: 300,
    creatorVersion: 'v0.0.0',
  };
  const git = {
    listRefs: world.git.listRefs,
    hosts: new HostCircuits(table),
    polls: new Polls(table),
    pages: new PollPages(table),
    settings: defaultPollSettings,
  };
  const reconciled = <T extends Reconcilable>(reconciler: Reconciler<T>): RunPass => passRunner(reconciler, ports);
  const places = blobPlaces();
  const makers: Readonly<Record<string, () => RunPass>> = {
    image: () => reconciled(imageReconciler({ priorityClasses: false })),
    build: () =>
      reconciled(
        buildReconciler({
          cap: { slots: new Slots(table, clock), perNamespace: buildsPerNamespace, kube, wake: buildWaker(sender) },
          images: registryImages(registries.registryFor),
          programs: {
            prepare: program('build-init'),
            completion: program('completion'),
            rebase: program('rebase'),
            waiter: program('build-waiter'),
            turn: { image: 'registry.example/steps', shell: '/usr/bin/busybox', script: '/cnb/process/turn' },
          },
          settings: { trustUnknownSshHosts: false, injectedSidecars: false },
        }),
      ),
    'source-resolver': () =>
      reconciled(
        sourceResolverReconciler({
          ...git,
          registryFor: registries.registryFor,
          probeBlob: () => Promise.reject(new Error('there are no blobs here')),
        }),
      ),
    builder: () => reconciled(reconcileBuilder(registries, places)),
    'cluster-builder': () => reconciled(reconcileClusterBuilder(registries, places)),
    buildpack: () => reconciled(reconcileBuildpack(registries)),
    'cluster-buildpack': () => reconciled(reconcileClusterBuildpack(registries)),
    'cluster-store': () => reconciled(reconcileClusterStore(registries)),
    'cluster-stack': () => reconciled(reconcileClusterStack(registries)),
    'cluster-lifecycle': () => reconciled(reconcileClusterLifecycle(registries)),
    'git-poll': () => gitPollRunner({ ...ports, ...git }),
    dependents: () =>
      dependentsRunner({
        ...ports,
        pause: (milliseconds) =>
          new Promise((resolve) => {
            setTimeout(resolve, milliseconds);
          }),
      }),
  };
  const made = new Map<string, RunPass>();
  const runPassOf = (queue: string): RunPass => {
    const maker = makers[queue];
    if (maker === undefined) throw new Error(`queue ${queue} has no function: add it to ${import.meta.filename}`);
    const runPass = made.get(queue) ?? maker();
    made.set(queue, runPass);
    return runPass;
  };
  const functionOf =
    (queue: string): Invoke =>
    (event, context) => {
      world.expectWorking(queue);
      const run = runPassOf(queue);
      const runPass: RunPass = async (target, messages, budgetSeconds) => {
        world.passes.begin(target);
        const result = await run(target, messages, budgetSeconds);
        world.passes.end(target, wordFor(result));
        return result;
      };
      const secondsLeft = (): number => context.getRemainingTimeInMillis() / 1000;
      return runBatch(event, secondsLeft, { runPass, receipts: receipts(queue), mayWake, log });
    };
  return { connections, mayWake, functionOf };
};
