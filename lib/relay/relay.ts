/** The relay: watches one cluster and turns its events into pointers on the queues. Holds no objects (DESIGN §3.11). */
import type { KubeClient } from '../kube/client.ts';
import type { KubeObject } from '../kube/object.ts';
import { oneAtATime } from '../kube/one-at-a-time.ts';
import { type Change, runReflector } from '../kube/reflector.ts';
import { sleep } from '../kube/sleep.ts';
import type { KubeTransport } from '../kube/transport.ts';
import { pauseSeconds, type WatchTimes } from '../kube/watch-times.ts';
import { type Metrics, noMetrics } from '../metrics/metrics.ts';
import { Bursts } from '../queue/bursts.ts';
import type { Message } from '../queue/message.ts';
import type { Sender } from '../queue/send.ts';
import { type Log, sayError } from '../reconcile/log.ts';
import type { Received } from '../reconcile/received.ts';
import type { WatchHistory } from '../state/watch-history.ts';
import { Gaps } from './gaps.ts';
import { Place } from './place.ts';
import {
  type ClusterNews,
  clusterNews,
  type Origin,
  pointersFor,
  type Routed,
  type WatchedKind,
  watchedKinds,
} from './pointers.ts';
import { inTurn } from './straight-or-bulk.ts';

/** What the relay needs. */
export interface RelayPorts {
  readonly cluster: string;
  readonly transport: KubeTransport;
  readonly kube: KubeClient;
  readonly history: WatchHistory;
  readonly sender: Sender;
  /** Where passes that run in this process look how far this relay is. */
  readonly received?: Pick<Received, 'lost' | 'note'>;
  readonly clock: () => Date;
  readonly random: () => number;
  readonly log: Log;
  readonly metrics?: Pick<Metrics, 'add'>;
  /** Whether everything is listed and handed on at the start, whatever was told before: somebody may have dropped it. */
  readonly listsEverything?: boolean;
  /** Milliseconds after which functions believe a relay whose cluster was registered anew; as usual without. */
  readonly believedAfter?: number;
  /** How long watches last; as usual without. */
  readonly times?: WatchTimes;
}

/** A running relay. */
export interface Relay {
  /** Kinds whose watch is not established: empty when the relay is ready. */
  notReady(): readonly string[];
  /** Pointers accepted by the queues since the start. */
  sent(): number;
  /** Sets what is true of the relay at this moment: gauges. */
  measure(metrics: Pick<Metrics, 'add'>): void;
  /** Ends when the signal has aborted and every watch has stopped. */
  readonly stopped: Promise<void>;
}

/** How all watches of an epoch are ended, to begin in the next one. */
interface Beginning {
  again(pauseMilliseconds: number): void;
}

const byQueue = (routed: readonly Routed[]): ReadonlyMap<string, readonly Message[]> => {
  const queues = new Map<string, Message[]>();
  for (const { queue, message } of routed) queues.set(queue, [...(queues.get(queue) ?? []), message]);
  return queues;
};

const namesOf = ({ object: { metadata } }: Change) => ({
  namespace: metadata.namespace ?? '',
  name: metadata.name ?? '',
});

/** Milliseconds between two times that watches are told not to wait. */
const betweenRecoveries = 15_000;

/**
 * Functions believe for some seconds that a cluster is not registered, and what its relay says is then not believed (lib/clusters/registrations.ts).
 * Milliseconds until they certainly believe it is.
 */
const usuallyBelievedAfter = 10_000;

/** Which history of versions this cluster has: by the uid of kube-system, which lives as long as the cluster. @throws KubeError */
export const identityOf = async (kube: KubeClient): Promise<string> => {
  // A list of one: the relay's account may list and watch, and nothing else (infra/cluster/relay.yaml).
  const [system] = await kube.list<KubeObject>('Namespace', { fieldSelector: 'metadata.name=kube-system' });
  return system?.metadata?.uid ?? 'unknown';
};

/** Waits so long; while the server refuses our credential, until it may be asked again. */
const pause = (transport: KubeTransport, milliseconds: number, signal: AbortSignal): Promise<void> =>
  transport.refusalOver?.(signal) ?? sleep(milliseconds, signal);

/** The cluster's epoch, as soon as it and the table answer; undefined when the signal aborted before. */
const epochOf = async ({ cluster, transport, history, kube, log, random }: RelayPorts, signal: AbortSignal) => {
  for (let failures = 1; !signal.aborted; failures += 1)
    try {
      return await history.epoch(cluster, await identityOf(kube));
    } catch (error) {
      if (!signal.aborted) log('warn', 'asking which cluster this is failed', { cluster, why: sayError(error) });
      await pause(transport, pauseSeconds(failures, random()) * 1000, signal);
    }
  return undefined;
};

/** Starts watching every kind of the table; returns at once. A cluster that is away is waited for. */
export const startRelay = (ports: RelayPorts, signal: AbortSignal): Relay => {
  const { cluster, history, metrics = noMetrics } = ports;
  let epoch = '';
  const pages = oneAtATime();
  /** Kinds whose watch is not established, and since when. */
  const waiting = new Map(watchedKinds.map(({ kind }) => [kind, ports.clock().getTime()]));
  /** What is being sent, and since when. */
  const sending = new Map<object, number>();
  const interrupted = new Set<string>();
  let sent = 0;

  const bursts = new Bursts();
  const send = async (all: readonly Routed[]): Promise<void> => {
    const now = ports.clock().getTime();
    const routed = all.map((one) => inTurn(bursts, now, one));
    sending.set(routed, now);
    try {
      const sendAll = async ([queue, messages]: readonly [string, readonly Message[]]): Promise<void> => {
        await ports.sender.send(queue, messages);
        metrics.add('RelayMessages', { queue }, messages.length);
      };
      await Promise.all([...byQueue(routed)].map(sendAll));
    } finally {
      sending.delete(routed);
    }
    sent += routed.length;
  };

  /** For how long the oldest of what was heard of waits to be sent, or a kind has not been watched. */
  const lagSeconds = (): number => {
    const now = ports.clock().getTime();
    return (now - Math.min(now, ...waiting.values(), ...sending.values())) / 1000;
  };

  const place = new Place({
    cluster,
    history,
    clock: ports.clock,
    says: () => ({ lagSeconds: Math.round(lagSeconds()), notWatched: [...waiting.keys()] }),
    warn: (why) => ports.log('warn', 'saying how far the relay is failed', { cluster, why: sayError(why) }),
  });

  const gaps = new Gaps(
    {
      tell: (kinds) => send(kinds.map((kind) => clusterNews({ cluster, epoch }, 'gap', ports.clock(), kind))),
      warn: (why) => ports.log('warn', 'telling of a gap failed', { cluster, why: sayError(why) }),
    },
    signal,
  );
  let back = new AbortController();
  let timesBack = 0;
  let backAt = 0;
  /** A watch is established again: the others need not wait out their pauses, and neither does what was parked. */
  const isBack = (): void => {
    void tell('back');
    const now = ports.clock().getTime();
    // Watches that break as soon as they are established must not rouse each other.
    if (now - backAt < betweenRecoveries) return;
    backAt = now;
    timesBack += 1;
    back.abort();
    back = new AbortController();
  };
  /** Tells the functions what became of the watches. That it fails costs time: the sweeper wakes the same. */
  const tell = async (news: ClusterNews): Promise<void> => {
    try {
      await send([clusterNews({ cluster, epoch }, news, ports.clock())]);
      ports.log('info', 'told the functions what became of the watches', { cluster, news });
    } catch (error) {
      if (!signal.aborted) ports.log('warn', 'telling the functions failed', { cluster, news, why: sayError(error) });
    }
  };

  /** Watches one kind within one epoch, until that ends. */
  const reflect = (watched: WatchedKind, origin: Origin, ending: AbortSignal, begin: Beginning): Promise<void> => {
    const save = (version: string): void => place.moved(origin.epoch, watched.kind, version);
    return runReflector(
      watched.kind,
      watched.labelSelector,
      {
        transport: ports.transport,
        pages,
        clock: ports.clock,
        random: ports.random,
        ...(ports.times === undefined ? {} : { times: ports.times }),
        // What nobody owns and is worked on; what else there is comes with it, or has told everything by its events.
        repeatsAtStart: watched.queue !== undefined && watched.ownedBy === undefined,
        listed: ({ objects, occasion, isFirst }) =>
          send(objects.flatMap(({ metadata }) => pointersFor(watched, metadata, origin, occasion, { first: isFirst }))),
        changed: (changes: readonly Change[]) =>
          send(
            changes.flatMap(({ object, ...change }) =>
              pointersFor(watched, object.metadata, origin, undefined, change),
            ),
          ),
        received: (version, changes) =>
          ports.received?.note(cluster, watched.kind, origin.epoch, version, changes?.map(namesOf)),
        missed: (version) => {
          const done = (): void => save(version);
          // What happened to a child meanwhile is in no event that will come again.
          if (watched.ownedBy === undefined) done();
          else gaps.missed(watched.kind, done);
        },
        loadCheckpoint: async () => (ports.listsEverything === true ? undefined : place.last(watched.kind)),
        saveCheckpoint: async (version) => {
          if (gaps.isTold(watched.kind)) save(version);
        },
        wentBack: async () => {
          ports.log('warn', 'the cluster went back in time: everything is looked at again', {
            cluster,
            kind: watched.kind,
          });
          await history.nextEpoch(cluster, origin.epoch);
          begin.again(0);
        },
        ready: (isReady) => {
          if (isReady) waiting.delete(watched.kind);
          else {
            ports.received?.lost(cluster, watched.kind);
            waiting.set(watched.kind, waiting.get(watched.kind) ?? ports.clock().getTime());
          }
          if (!isReady) interrupted.add(watched.kind);
          else if (interrupted.delete(watched.kind)) isBack();
        },
        timesBack: () => timesBack,
        pause: (milliseconds, ended) => pause(ports.transport, milliseconds, AbortSignal.any([ended, back.signal])),
        warn: (what, why) => ports.log('warn', `${what} was interrupted`, { cluster, why: sayError(why) }),
      },
      ending,
    );
  };

  /** One history serves all kinds: when one of them finds that it went back, all are listed anew in the next epoch. */
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      epoch = (await epochOf(ports, signal)) ?? '';
      const ending = new AbortController();
      const either = AbortSignal.any([signal, ending.signal]);
      const origin: Origin = { cluster, epoch };
      let pauseMilliseconds = 0;
      const begin: Beginning = {
        again: (milliseconds) => {
          pauseMilliseconds = Math.max(pauseMilliseconds, milliseconds);
          ending.abort();
        },
      };
      place.enter(epoch, () => {
        if (!ending.signal.aborted)
          ports.log('warn', 'the cluster was registered anew: everything is told again', { cluster });
        begin.again(ports.believedAfter ?? usuallyBelievedAfter);
      });
      await Promise.all(watchedKinds.map((watched) => reflect(watched, origin, either, begin)));
      if (pauseMilliseconds > 0) await sleep(pauseMilliseconds, signal);
    }
    await place.end();
  };

  return {
    notReady: () => [...waiting.keys()],
    sent: () => sent,
    measure: (into) => {
      into.add('RelayLagSeconds', { cluster }, lagSeconds());
      into.add('RelayUnwatchedKinds', { cluster }, waiting.size);
    },
    stopped: run(),
  };
};
