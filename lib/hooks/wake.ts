/** From a push to the shared polls it concerns, in every cluster (DESIGN §3.17, §5). */
import { PermanentError } from '../errors/expected.ts';
import { placeDigest } from '../git/place.ts';
import { parseGitUrl } from '../git/url.ts';
import type { Message } from '../queue/message.ts';
import type { Sender } from '../queue/send.ts';
import { queueOf } from '../reconcile/kind-table.ts';
import { mayConcern, parseWatched } from '../sources/git-poll.ts';
import { GIT_POLL_KIND } from '../sources/polling.ts';
import type { TargetKey } from '../state/keys.ts';
import type { Polls } from '../state/polls.ts';
import type { Pushed } from './pushed.ts';

/** What waking needs. */
export interface WakePorts {
  readonly polls: Pick<Polls, 'atPlace' | 'read'>;
  readonly sender: Sender;
}

/** Rows read from the store at once. */
const PAGE = 25;

/** Places of everything in `urls` that is a git URL; a payload names one repository in several ways. */
const placesOf = (urls: readonly string[]): readonly string[] => {
  const places = urls.flatMap((url) => {
    try {
      return [placeDigest(parseGitUrl(url))];
    } catch (error) {
      if (error instanceof PermanentError) return [];
      throw error;
    }
  });
  return [...new Set(places)];
};

const messageFor = ({ cluster, kind, namespace, name }: TargetKey, occasion: string): Message => ({
  v: 1,
  cluster,
  epoch: '',
  target: { kind, namespace, name },
  cause: { kind, namespace, name, uid: '', resourceVersion: '' },
  reason: 'hook',
  occasion,
});

/**
 * Wakes every poll of the repository that follows one of the refs, and says how many. `occasion` is the same for the same push: SQS
 * swallows what it has heard within five minutes. @throws StateError, QueueError
 */
export const wakePolls = async ({ polls, sender }: WakePorts, pushed: Pushed, occasion: string): Promise<number> => {
  const refs = pushed.refs === undefined ? undefined : new Set(pushed.refs);
  let woken = 0;
  for (const place of placesOf(pushed.urls)) {
    let from: string | undefined;
    do {
      const page = await polls.atPlace(place, PAGE, from);
      const rows = await Promise.all(page.targets.map((target) => polls.read(target)));
      const concerned = page.targets.filter((_, index) => {
        const watched = rows[index]?.watched ?? [];
        return mayConcern(
          watched.map((entry) => parseWatched(entry).revision),
          refs,
        );
      });
      await sender.send(
        queueOf(GIT_POLL_KIND),
        concerned.map((target) => messageFor(target, occasion)),
      );
      woken += concerned.length;
      from = page.next;
    } while (from !== undefined);
  }
  return woken;
};
