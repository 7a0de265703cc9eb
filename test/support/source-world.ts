/**
 * A world for SourceResolvers and shared polls: fake cluster, real store, git hosts that are tables of refs (or real ones), a clock that tests turn
 * and queues that tests empty. Passes run through the real runner.
 */
import type { Secret, ServiceAccount } from 'kubernetes-types/core/v1.d.ts';
import type { SourceConfig } from '../../lib/api/source-config.ts';
import type { SourceResolver } from '../../lib/api/source-resolver.ts';
import { accountRegistries } from '../../lib/buildpacks/account-registry.ts';
import { GitError, type GitErrorCode } from '../../lib/git/errors.ts';
import type { ListRefs, RefLister } from '../../lib/git/list-refs.ts';
import { type GitRef, withPrefixes } from '../../lib/git/refs.ts';
import { normalGitUrl, parseGitUrl } from '../../lib/git/url.ts';
import { hookAnswerer } from '../../lib/hooks/answer.ts';
import type { HookAnswer, HookRequest } from '../../lib/hooks/request.ts';
import { secretsIn } from '../../lib/hooks/secrets.ts';
import { createSession } from '../../lib/oci/session.ts';
import { wordFor } from '../../lib/queue/comes-again.ts';
import type { Message, Reason } from '../../lib/queue/message.ts';
import { passRunner, type RunnerPorts } from '../../lib/reconcile/run.ts';
import { gitPollRunner } from '../../lib/sources/git-poll-pass.ts';
import { defaultPollSettings } from '../../lib/sources/polling.ts';
import { blobProber } from '../../lib/sources/probe-blob.ts';
import { sourceResolverReconciler } from '../../lib/sources/reconcile.ts';
import { Circuits } from '../../lib/state/circuits.ts';
import { HostCircuits } from '../../lib/state/host-circuits.ts';
import type { Dependency, TargetKey } from '../../lib/state/keys.ts';
import { PollPages, pageIn } from '../../lib/state/poll-pages.ts';
import { type PollLimits, Polls } from '../../lib/state/polls.ts';
import { type Due, Records } from '../../lib/state/records.ts';
import type { Table } from '../../lib/state/table.ts';
import { fakeCluster } from './fake-cluster.ts';
import { anywhere, openTransport } from './open-egress.ts';

export const sourceWorld = (
  table: Table,
  real: { readonly listRefs?: RefLister; readonly limits?: Partial<PollLimits> } = {},
) => {
  const cluster = 'one';
  const world = fakeCluster();
  const hosts = new Map<string, readonly GitRef[] | GitErrorCode>();
  const asked: ListRefs[] = [];
  const sent: { readonly queue: string; readonly message: Message }[] = [];
  const logged: string[] = [];
  let now = new Date('2026-01-01T10:00:00Z');

  const fromTables = async (ask: ListRefs): Promise<readonly GitRef[]> => {
    asked.push(ask);
    const answer = hosts.get(normalGitUrl(ask.url)) ?? 'host-unreachable';
    if (typeof answer === 'string')
      throw new GitError(answer, `${ask.url.display} says ${answer}`, { host: ask.url.authority });
    return Promise.resolve(withPrefixes(answer, ask.prefixes));
  };
  const polls = new Polls(table, real.limits);
  const pages = new PollPages(table);
  const ports: RunnerPorts = {
    records: new Records(table),
    circuits: new Circuits(table),
    sender: {
      send: (queue, messages) => {
        sent.push(...messages.map((message) => ({ queue, message })));
        return Promise.resolve();
      },
    },
    kube: () => Promise.resolve(world.kube),
    clock: () => now,
    random: () => 0,
    log: (level, what, fields) => void logged.push(JSON.stringify({ level, what, ...fields })),
  };
  const shared = {
    ...ports,
    hosts: new HostCircuits(table),
    listRefs: real.listRefs ?? fromTables,
    polls,
    pages,
    settings: defaultPollSettings,
  };
  const look = {
    probeBlob: blobProber(anywhere),
    registryFor: accountRegistries({ session: createSession(() => now.getTime()), transport: openTransport }),
  };
  const runResolver = passRunner(sourceResolverReconciler({ ...shared, ...look }), ports);
  const runPoll = gitPollRunner(shared);

  const pathOf = (name: string, namespace = 'team'): string =>
    `/apis/kpack.io/v1alpha2/namespaces/${namespace}/sourceresolvers/${name}`;
  const messageTo = (target: TargetKey, reason: Reason): Message => {
    const { kind, namespace, name } = target;
    const cause = { kind, namespace, name, uid: '', resourceVersion: '' };
    return { v: 1, cluster, epoch: 'e', target: { kind, namespace, name }, cause, reason };
  };

  return {
    world,
    hosts,
    asked,
    sent,
    logged,
    polls,
    pages,
    table,
    records: ports.records,
    cluster,
    /** The refs of a host from now on, or how it fails. */
    host: (url: string, answer: readonly GitRef[] | GitErrorCode): void => {
      hosts.set(normalGitUrl(parseGitUrl(url)), answer);
    },
    /** Puts a SourceResolver there. */
    apply: (
      name: string,
      source: SourceConfig,
      more: Partial<Pick<SourceResolver, 'status'>> & Placement = {},
    ): void => {
      const { namespace = 'team', serviceAccount = '', generation = 1, annotations, ...rest } = more;
      const object = {
        apiVersion: 'kpack.io/v1alpha2',
        kind: 'SourceResolver',
        metadata: { name, namespace, generation, ...(annotations === undefined ? {} : { annotations }) },
        spec: { source, serviceAccount },
        ...rest,
      };
      world.put(`/apis/kpack.io/v1alpha2/namespaces/${namespace}/sourceresolvers`, object);
    },
    put: (plural: string, object: ServiceAccount | Secret): void =>
      world.put(`/api/v1/namespaces/${object.metadata?.namespace ?? ''}/${plural}`, object),
    statusOf: (name: string, namespace?: string): unknown => world.at(pathOf(name, namespace)).status,
    pathOf,
    /** One pass of a SourceResolver. */
    resolve: async (name: string, { reasons = ['self'], namespace = 'team' }: PassOptions = {}): Promise<string> => {
      const target = { cluster, kind: 'SourceResolver', namespace, name };
      const messages = reasons.map((reason) => messageTo(target, reason));
      return wordFor(await runResolver(target, messages, 60));
    },
    /** Everything that is due now, polls run at once. */
    due: async (): Promise<readonly Due[]> => {
      const seconds = Math.floor(now.getTime() / 1000);
      const shards = await Promise.all(
        Array.from({ length: 16 }, (_, shard) => ports.records.due(shard, seconds, 100)),
      );
      return shards.flat().filter(({ target }) => target.cluster === cluster);
    },
    /** A round of a page, and nothing of whom it wakes. */
    round: (page: TargetKey, occasion?: string) =>
      runPoll(page, [{ ...messageTo(page, 'due'), ...(occasion === undefined ? {} : { occasion }) }], 60),
    now: (): number => now.getTime(),
    /** A pass of a poll; or a round of a page, with the passes of the polls that it wakes, of which the first that is no round gives the result. */
    poll: async (target: TargetKey, reason: Reason = 'due', cause?: Dependency) => {
      const before = sent.length;
      const message = messageTo(target, reason);
      const told = cause === undefined ? message : { ...message, cause: { ...message.cause, ...cause } };
      const result = await runPoll(target, [told], 60);
      if (pageIn(target) === undefined) return result;
      const woken = sent.splice(before);
      const results = await Promise.all(
        woken.map(({ message }) => runPoll({ cluster: message.cluster, ...message.target }, [message], 60)),
      );
      return results[0] ?? result;
    },
    /** A push hook, answered as behind the function URL; then the polls it woke run. */
    hook: async (
      request: HookRequest,
      secrets: readonly string[],
    ): Promise<HookAnswer & { readonly polls: readonly string[] }> => {
      const before = sent.length;
      const given = await hookAnswerer({
        ...ports,
        polls,
        secrets: () => Promise.resolve(secretsIn(secrets.join(' '))),
      })(request);
      const woken = sent.splice(before);
      const results = await Promise.all(
        woken.map(({ message }) => runPoll({ cluster: message.cluster, ...message.target }, [message], 60)),
      );
      return { ...given, polls: results };
    },
    later: (seconds: number): void => {
      now = new Date(now.getTime() + seconds * 1000);
    },
    /** What was sent since it was last asked, as `<queue> <reason> <name>`. */
    woken: (): readonly string[] =>
      sent
        .splice(0)
        .map(({ queue, message }) => `${queue} ${message.reason} ${message.target.name}`)
        .toSorted(),
  };
};

interface Placement {
  readonly namespace?: string;
  readonly serviceAccount?: string;
  readonly generation?: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface PassOptions {
  readonly reasons?: readonly Reason[];
  readonly namespace?: string;
}

export type SourceWorld = ReturnType<typeof sourceWorld>;
