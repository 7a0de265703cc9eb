/** What is not as it should be in an installation, each with what to do. Pure. */
import type { Depth } from '../queue/letters.ts';
import { showSpan } from '../text/span.ts';
import type { ClusterState, Tally } from './tally.ts';

/** A queue and what lies in it. */
export interface QueueState extends Depth {
  readonly name: string;
}

/** The sweeper runs each minute; a due time that has come is moved on when it is sent. */
const sweeperSeconds = 300;
/** A relay says each minute or so that it lives. */
const heartbeatSeconds = 180;
/** As the alarm of infra/alarms.yml. */
const oldSeconds = 1800;

const troublesOf = (cluster: ClusterState, now: number): readonly string[] => {
  const { name, registration, circuitOpenUntil: open, overdueSince, relay, objects } = cluster;
  const count = Object.values(objects).reduce((sum, one) => sum + one, 0);
  const said: string[] = [];
  if (registration === undefined && count > 0)
    said.push(
      `cluster ${name} is not registered, and ${count} of its objects are remembered: kpackless cluster add ${name}, or kpackless cluster remove ${name}`,
    );
  if (registration === undefined) return said;
  if (open !== undefined && open > now)
    said.push(
      `cluster ${name} does not answer: its next probe is in ${showSpan(open - now)}; kpackless cluster check ${name}`,
    );
  else if (overdueSince !== undefined && now - overdueSince > sweeperSeconds)
    said.push(
      `cluster ${name}: ${cluster.overdue} objects have been due for up to ${showSpan(now - overdueSince)}: does the sweeper run? kpackless doctor`,
    );
  if (relay.heartbeatAt !== undefined && now - relay.heartbeatAt > heartbeatSeconds)
    said.push(
      `the relay of cluster ${name} has not been heard of for ${showSpan(now - relay.heartbeatAt)}: kubectl -n kpack get deployment kpackless-relay`,
    );
  else if (relay.notWatched.length > 0)
    said.push(
      `the relay of cluster ${name} cannot watch ${relay.notWatched.join(', ')}: kpackless cluster check ${name}`,
    );
  if (relay.epoch === undefined)
    said.push(`the relay of cluster ${name} has never watched it: kpackless cluster check ${name}`);
  if (registration.access === 'eks' && registration.relayRoleId === undefined)
    said.push(
      `cluster ${name} has no role of a relay registered, so what its relay sends does not count: kpackless cluster add ${name} again`,
    );
  return said;
};

/** Sentences; none when all is well. `now` in Unix seconds. */
export const troubles = (tally: Tally, queues: readonly QueueState[], now: number): readonly string[] => [
  ...tally.clusters.flatMap((cluster) => troublesOf(cluster, now)),
  ...queues
    .filter(({ deadLetters }) => deadLetters > 0)
    .map(({ name, deadLetters }) => `queue ${name} has ${deadLetters} dead letters: kpackless dlq list ${name}`),
  ...queues
    .filter(({ oldestSeconds = 0 }) => oldestSeconds > oldSeconds)
    .map(
      ({ name, oldestSeconds = 0 }) =>
        `the oldest message of queue ${name} has waited for ${showSpan(oldestSeconds)}: is its function throttled or failing? kpackless doctor`,
    ),
];
