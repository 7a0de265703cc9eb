/** The pass as a reconciler sees it, and what the runner learns from it (DESIGN §3.5). */
import type { Announcement, Announcer } from '../events/announcement.ts';
import type { KubeClient } from '../kube/client.ts';
import type { KubeObject } from '../kube/object.ts';
import { areBulk } from '../queue/bulk.ts';
import type { Message, Reason } from '../queue/message.ts';
import type { Sender } from '../queue/send.ts';
import type { Dependency, TargetKey } from '../state/keys.ts';
import { noRecord, type ObjectRecord, type Records } from '../state/records.ts';
import { dueAfterOutcome } from './due.ts';
import { queueOf } from './kind-table.ts';
import { settled } from './outcome.ts';
import type { Pass, Reconcilable, Reconciler } from './reconciler.ts';
import { sameStatus } from './same-status.ts';
import { shownStatus } from './shown-status.ts';
import { seenToken } from './skip.ts';

/** What a pass came upon so far: goes into the record at its end. */
export interface Progress<T> {
  /** The object as last read or written. */
  object: T | undefined;
  /** The record as read, with the edges that were named since. */
  record: ObjectRecord;
  dependencies: readonly Dependency[] | undefined;
  memory: string | undefined;
  /** Tokens of the versions the reconciler has decided on. */
  readonly seen: Set<string>;
}

/** What passes are made from. */
export interface PassParts<T extends Reconcilable> {
  readonly target: TargetKey;
  readonly kube: KubeClient;
  readonly messages: readonly Message[];
  readonly epoch: string;
  readonly progress: Progress<T>;
  readonly reconciler?: Pick<Reconciler<T>, 'transition'>;
  readonly announcer?: Announcer | undefined;
  readonly signal: AbortSignal;
  /** Milliseconds of the clock at which the budget is spent. */
  readonly deadline: number;
  readonly records: Records;
  readonly sender: Sender;
  readonly clock: () => Date;
  readonly random: () => number;
}

const tokenOf = ({ kind = '', metadata = {} }: KubeObject): string =>
  seenToken({ kind, name: metadata.name ?? '', resourceVersion: metadata.resourceVersion ?? '' });

/** One run of a reconciler, as it sees it. */
export const makePass = <T extends Reconcilable>(parts: PassParts<T>): Pass => {
  const { target, kube, messages, epoch, progress, signal, deadline, records, sender, clock, random } = parts;
  const { memory, attempts, resourceVersion } = progress.record;
  /** On messages to others: who is one of many makes others so. */
  const likewise = areBulk(messages) ? { bulk: true } : {};

  /** Only what follows from the version that was decided on counts: a write over somebody else's edit must not hide the edit. */
  const note = (before: Reconcilable, written: Reconcilable): void => {
    const last = progress.object?.metadata;
    if (last?.uid === written.metadata?.uid && last?.resourceVersion === before.metadata?.resourceVersion)
      progress.object = written as T;
  };

  /** What the status that is to be written says of the object of this pass; undefined when nobody need be told. */
  const announcementOf = <O extends Reconcilable>(object: O, status: O['status']): Announcement | undefined => {
    if (parts.announcer === undefined || object.metadata?.uid !== progress.object?.metadata?.uid) return undefined;
    const transition = parts.reconciler?.transition?.(object as unknown as T, status);
    return transition && { cluster: target.cluster, kube, object: { ...object, status }, transition, now: clock() };
  };
  /** Writes a status and tells of it beside the write, so nobody waits: should the write be refused, the next pass tells the same, which is taken for it. */
  const announced = async <W>(announcement: Announcement | undefined, writing: Promise<W>): Promise<W> => {
    if (announcement === undefined) return writing;
    const [written] = await Promise.all([writing, parts.announcer?.tell(announcement)]);
    parts.announcer?.happened(announcement);
    return written;
  };

  return {
    cluster: target.cluster,
    kube,
    now: clock(),
    signal,
    reasons: new Set<Reason>(messages.map(({ reason }) => reason)),
    isFirst: resourceVersion === undefined,
    attempts,
    remainingSeconds: () => (deadline - clock().getTime()) / 1000,
    dependOn: async (dependencies) => {
      progress.record = await records.addEdges(target, progress.record, dependencies);
      // Only now: the record calls certain what is named here, and an edge that is believed in and not there wakes nobody.
      progress.dependencies = dependencies;
    },
    writeStatus: async (object, status) => {
      const shown = shownStatus(status);
      if (sameStatus(object.status, shown)) return object;
      const announcement = announcementOf(object, shown);
      const written = await announced(announcement, kube.replaceStatus({ ...object, status: shown }));
      note(object, written);
      return written;
    },
    memory,
    remember: (text) => {
      progress.memory = text;
    },
    saw: (...objects) => {
      for (const object of objects) progress.seen.add(tokenOf(object));
    },
    handOver: (made) => {
      const { kind = '', metadata: { namespace = '', name = '', uid = '', resourceVersion = '' } = {} } = made;
      const self = { kind, namespace, name };
      const cause = { ...self, uid, resourceVersion };
      const message = {
        v: 1,
        cluster: target.cluster,
        epoch,
        target: self,
        cause,
        reason: 'self',
        ...likewise,
      } as const;
      return sender.send(queueOf(kind), [message]);
    },
    settleChild: async (written, before) => {
      const { kind = '', metadata: { namespace = '', name = '', resourceVersion } = {} } = written;
      const child = { cluster: target.cluster, kind, namespace, name };
      const now = Math.floor(clock().getTime() / 1000);
      const restSeconds = Math.ceil(dueAfterOutcome(settled, random()));
      // Not where a pass of its own has ended already: that knows at least as much.
      await records.finish(child, noRecord, {
        resourceVersion,
        epoch,
        attempts: 0,
        dueAt: now + restSeconds,
        restSeconds,
        edges: undefined,
        seen: before.map((one) => tokenOf(one)),
      });
    },
    wake: (dependency) =>
      sender.send(queueOf(dependency.kind), [
        {
          v: 1,
          cluster: target.cluster,
          epoch,
          target: { ...dependency },
          cause: {
            kind: target.kind,
            namespace: target.namespace,
            name: target.name,
            uid: progress.object?.metadata?.uid ?? '',
            resourceVersion: progress.object?.metadata?.resourceVersion ?? '',
          },
          reason: 'dependency',
          occasion: `${target.kind}/${target.namespace}/${target.name}@${clock().getTime()}`,
          ...likewise,
        },
      ]),
  };
};
