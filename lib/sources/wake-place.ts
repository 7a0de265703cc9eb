/**
 * From a repository that moved to the shared polls of it, in every cluster. However many there are, one call wakes a page of each cluster
 * and no more: the last poll that is woken carries on with the next page, so that nobody waits for others and nobody is lost.
 */
import type { Message } from '../queue/message.ts';
import type { Sender } from '../queue/send.ts';
import { PUSH_KIND, queueOf } from '../reconcile/kind-table.ts';
import { hookSortKey, hooksBehind, type TargetKey } from '../state/keys.ts';
import type { Polls } from '../state/polls.ts';
import { mayConcern } from './git-poll.ts';
import { GIT_POLL_KIND } from './polling.ts';

/** What waking needs. */
export interface WakePlacePorts {
  readonly polls: Pick<Polls, 'atPlace' | 'entries'>;
  readonly sender: Sender;
}

/** A push as it concerns polls. */
export interface PushAt {
  /** Digest of the repository's place (`placeDigest`). */
  readonly place: string;
  /** Full names of the refs that moved; undefined for unknown ones. */
  readonly refs: ReadonlySet<string> | undefined;
  /** The same for the same push: SQS swallows what it has heard within five minutes. */
  readonly occasion: string;
}

/** Polls of one cluster that one call wakes. */
const PAGE = 50;
/** Revisions of a poll that are looked at; a poll with more is woken unseen: at worst it lists once too often. */
const REVISIONS = 100;
const CARRIES = 'carries on: ';

const messageFor = ({ cluster, kind, namespace, name }: TargetKey, place: string, occasion: string): Message => ({
  v: 1,
  cluster,
  epoch: '',
  target: { kind, namespace, name },
  cause: { kind: PUSH_KIND, namespace: '', name: place, uid: '', resourceVersion: '' },
  reason: 'hook',
  occasion,
});

const isConcerned = async (polls: WakePlacePorts['polls'], poll: TargetKey, refs: PushAt['refs']): Promise<boolean> => {
  if (refs === undefined) return true;
  const { entries, next } = await polls.entries(poll, REVISIONS);
  const revisions = entries.map(({ revision }) => revision);
  return next !== undefined || mayConcern(revisions, refs);
};

/** Wakes a page of one cluster's polls behind `from`, of `only` that cluster if one is named. Gives what to go on from with the other clusters; undefined when there are none. */
const wakePage = async (
  { polls, sender }: WakePlacePorts,
  { place, refs, occasion }: PushAt,
  from: string | undefined,
  only?: string,
): Promise<string | undefined> => {
  const { targets, next } = await polls.atPlace(place, PAGE, from);
  const [first] = targets;
  if (first === undefined || (only !== undefined && first.cluster !== only)) return undefined;
  const mine = targets.filter(({ cluster }) => cluster === first.cluster);
  const concerned = await Promise.all(mine.map((poll) => isConcerned(polls, poll, refs)));
  const hasMore = mine.length === targets.length && next !== undefined;
  const messages = mine.flatMap((poll, index) => {
    if (hasMore && index === mine.length - 1) return [messageFor(poll, place, `${CARRIES}${occasion}`)];
    return concerned[index] === true ? [messageFor(poll, place, occasion)] : [];
  });
  await sender.send(queueOf(GIT_POLL_KIND), messages);
  return hasMore || mine.length < targets.length ? hooksBehind(first.cluster) : undefined;
};

/** Wakes the polls of the place that follow one of the refs. @throws StateError, QueueError */
export const wakePlace = async (ports: WakePlacePorts, push: PushAt): Promise<void> => {
  let from: string | undefined;
  do from = await wakePage(ports, push, from);
  while (from !== undefined);
};

/** Carries on where the page ended that woke `target`, in its cluster alone; nothing for any other message. @throws StateError, QueueError */
export const carryOn = async (
  ports: WakePlacePorts,
  target: TargetKey,
  messages: readonly Message[],
): Promise<void> => {
  for (const { cause, occasion = '' } of messages) {
    if (cause.kind !== PUSH_KIND || !occasion.startsWith(CARRIES)) continue;
    const push = { place: cause.name, refs: undefined, occasion: occasion.slice(CARRIES.length) };
    await wakePage(ports, push, hookSortKey(target), target.cluster);
  }
};
