/**
 * One round of a page of polls (docs/decisions/0015-pages-of-polls.md): every repository of it is asked, and nothing is written of those that answer as
 * before. Whatever else is found is for the poll's own pass, which is woken and finds it again: a round decides nothing and loses nothing.
 */
import type { SourceResolver } from '../api/source-resolver.ts';
import { ExpectedError } from '../errors/expected.ts';
import type { KubeClient } from '../kube/client.ts';
import { KubeError, saysClusterIsDown } from '../kube/errors.ts';
import { tenantOf } from '../queue/bulk.ts';
import type { Message } from '../queue/message.ts';
import type { Sender } from '../queue/send.ts';
import { tenantsAtOnce } from '../queue/tenants-at-once.ts';
import { freshDueAt } from '../reconcile/due.ts';
import { queueOf } from '../reconcile/kind-table.ts';
import { type Log, sayError } from '../reconcile/log.ts';
import type { Circuits } from '../state/circuits.ts';
import { clusterScope, type TargetKey } from '../state/keys.ts';
import {
  leastRows,
  type PagePart,
  type PageRow,
  type PageState,
  type PollPages,
  pageFor,
  pageIn,
  type Spread,
} from '../state/poll-pages.ts';
import type { Polls } from '../state/polls.ts';
import { StateError } from '../state/table.ts';
import type { AskHostPorts } from './ask-host.ts';
import { showSeen } from './git-poll.ts';
import { listPlace, placeIn } from './poll-place.ts';
import { isListedSince, nextPollAt, type PollSettings, paceWithHooks, timesOf } from './polling.ts';
import { refTable, resolveRevision } from './revision.ts';

/** What a round needs from outside. */
export interface PollPagePorts extends AskHostPorts {
  readonly polls: Pick<Polls, 'park'>;
  readonly pages: Pick<PollPages, 'drop' | 'finish' | 'read' | 'shrink' | 'spread'>;
  readonly sender: Sender;
  /** Of clusters. */
  readonly circuits: Pick<Circuits, 'admit' | 'failed' | 'succeeded' | 'unused'>;
  /** The API of a registered cluster. @throws ExpectedError when it is not registered */
  kube(cluster: string, signal: AbortSignal): Promise<Pick<KubeClient, 'get'>>;
  readonly settings: PollSettings;
  readonly clock: () => Date;
  readonly log: Log;
}

/** What became of a round: there is no such page, everything was as before, somebody was woken, or the cluster is down. */
export type RoundResult = 'abandoned' | 'moved' | 'parked' | 'unchanged';

/** Repositories asked at once. */
const places = 20;
/** What is left of the budget for waking those that could not be asked. */
const reserveSeconds = 5;

const seconds = (date: Date): number => Math.floor(date.getTime() / 1000);

/** A round under way. */
interface Round {
  readonly page: TargetKey;
  readonly intervalSeconds: number;
  readonly spread: Spread;
  readonly now: Date;
  readonly signal: AbortSignal;
  /** What the cluster has said so far: nothing, something, or that it is down. */
  heard: 'nothing' | 'something' | ExpectedError;
  /** The store could not be reached: nobody knows which circuits are open. */
  lost: StateError | undefined;
}

/** Makes rounds. They throw StateError and QueueError, and are then made again; every other failure is one poll's. */
export const pollPageRunner = (ports: PollPagePorts) => {
  const { pages, settings, log } = ports;

  /** Whether a poll has nothing to do but to be asked, and was answered as before. @throws ExpectedError */
  const isAsBefore = async (round: Round, row: PageRow): Promise<boolean> => {
    const { page, intervalSeconds, spread, now, signal } = round;
    if (row.lookAt <= seconds(now) || pageFor(row.poll, intervalSeconds, spread).name !== page.name) return false;
    const kube = await ports.kube(page.cluster, signal);
    const key = { kind: 'SourceResolver', namespace: row.poll.namespace, name: row.follower };
    const resolver = await kube.get<SourceResolver>(key);
    // Once it is down nobody else is asked, so it stays that for this round.
    if (round.heard === 'nothing') round.heard = 'something';
    const polled = { target: row.poll, secretName: row.secretName };
    const place = placeIn(resolver, polled, settings);
    if (place === undefined) return false;
    const pace = paceWithHooks(place.settings, { isAsked: place.isAsked, hookedAt: row.hookedAt, now: seconds(now) });
    if (pace.intervalSeconds !== intervalSeconds) return false;
    const revisions = row.answers.map(([revision]) => revision);
    const table = refTable(await listPlace(ports, polled, place, { kube, revisions, now, signal }));
    return row.answers.every(([revision, where]) => showSeen(resolveRevision(revision, table)) === where);
  };

  /** Asks one; what fails for it is looked into by its own pass. */
  const ask = async (round: Round, row: PageRow, unlike: (row: PageRow) => void): Promise<void> => {
    if (round.heard instanceof ExpectedError || round.lost !== undefined) return;
    if (round.signal.aborted) {
      unlike(row);
      return;
    }
    try {
      if (!(await isAsBefore(round, row))) unlike(row);
    } catch (error) {
      if (error instanceof StateError) {
        round.lost = error;
        return;
      }
      if (error instanceof KubeError && !round.signal.aborted) {
        if (saysClusterIsDown(error)) {
          round.heard = error;
          return;
        }
        if (round.heard === 'nothing') round.heard = 'something';
      }
      if (!(error instanceof ExpectedError))
        log('error', 'a poll threw in its page', { ...row.poll, why: sayError(error) });
      unlike(row);
    }
  };

  const wake = async ({ page, now }: Round, rows: readonly PageRow[]): Promise<void> => {
    const { cluster, kind, namespace, name } = page;
    const messages = rows.map(
      ({ poll }): Message => ({
        v: 1,
        cluster,
        epoch: '',
        target: { kind, namespace: poll.namespace, name: poll.name },
        cause: { kind, namespace, name, uid: '', resourceVersion: '' },
        reason: 'dependency',
        occasion: `${name}@${now.getTime()}`,
      }),
    );
    if (messages.length > 0) await ports.sender.send(queueOf(kind), messages);
  };

  /** Asks everybody of the page; gives how many there are that belong there, and how many were woken. */
  const askAll = async (
    round: Round,
    first: PagePart,
  ): Promise<{ readonly own: number; readonly rows: number; readonly woken: number }> => {
    let [own, rows, woken] = [0, 0, 0];
    for (let part = first; ; part = await pages.read(round.page, part.next)) {
      const unlike: PageRow[] = [];
      await tenantsAtOnce(
        part.rows,
        ({ poll }) => tenantOf(poll),
        places,
        (row) => ask(round, row, (found) => void unlike.push(found)),
      );
      if (round.lost !== undefined) throw round.lost;
      await wake(round, unlike);
      rows += part.rows.length;
      woken += unlike.length;
      own += part.rows.filter(
        ({ poll }) => pageFor(poll, round.intervalSeconds, round.spread).name === round.page.name,
      ).length;
      if (part.next === undefined || round.heard instanceof ExpectedError) return { own, rows, woken };
    }
  };

  /** Tells the cluster's circuit; true when it is down and the page waits behind it. */
  const isParked = async ({ page, heard, now }: Round): Promise<boolean> => {
    const scope = clusterScope(page.cluster);
    if (heard === 'something') await ports.circuits.succeeded(scope, seconds(now));
    else if (heard === 'nothing') await ports.circuits.unused(scope, seconds(now));
    if (!(heard instanceof ExpectedError)) return false;
    await ports.circuits.failed(scope, seconds(now), heard.retryAfterSeconds);
    await ports.polls.park(page, seconds(now), false);
    return true;
  };

  /** The last write, with a due time only where the sweep has not left the one that is right. */
  const finish = async (
    { page, intervalSeconds, now }: Round,
    { dueAt }: PageState,
    messages: readonly Message[],
  ): Promise<void> => {
    const at = seconds(now);
    const wished = freshDueAt(at, nextPollAt(page, { intervalSeconds }, at) - at, messages);
    const isInTime = dueAt !== undefined && dueAt > at && dueAt <= wished;
    await pages.finish(page, at, isInTime ? undefined : wished);
  };

  return async (page: TargetKey, messages: readonly Message[], budgetSeconds: number): Promise<RoundResult> => {
    const at = pageIn(page);
    const first = await pages.read(page);
    const { state } = first;
    if (at === undefined || (state === undefined && first.rows.length === 0)) return 'abandoned';
    if (state !== undefined && isListedSince({ askedAt: state.askedAt, isWaking: false }, timesOf(messages)))
      return 'unchanged';
    const now = ports.clock();
    const admission = await ports.circuits.admit(clusterScope(page.cluster), seconds(now));
    if (!admission.admitted) {
      await ports.polls.park(page, seconds(now), false);
      return 'parked';
    }
    const spread = at.page === 0 && state !== undefined ? state.spread : await pages.spread(page, at.intervalSeconds);
    const signal = AbortSignal.timeout(Math.max(1, budgetSeconds - reserveSeconds) * 1000);
    const round: Round = {
      page,
      intervalSeconds: at.intervalSeconds,
      spread,
      now,
      signal,
      heard: 'nothing',
      lost: undefined,
    };
    const { own, rows, woken } = await askAll(round, first);
    if (await isParked(round)) return 'parked';
    // The first page says how many there are.
    const isNeeded = rows > 0 || (at.page === 0 && spread.exponent > 0);
    if (state !== undefined && !isNeeded) await pages.drop(page, state);
    else if (state !== undefined) await finish(round, state, messages);
    if (own < leastRows && spread.exponent > 0 && at.page < 2 ** spread.exponent)
      await pages.shrink(page, seconds(now));
    return woken > 0 ? 'moved' : 'unchanged';
  };
};
