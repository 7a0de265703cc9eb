/** Two gaps in a minute: what happened in the second is heard of like what happened in the first, over a queue that swallows repetitions. */
import { afterEach, expect, it } from 'vitest';
import { hearOfCluster, isClusterNews } from '../../../lib/dependents/hear-of-cluster.ts';
import { kubeClient } from '../../../lib/kube/client.ts';
import { type Message, noveltyOf } from '../../../lib/queue/message.ts';
import { startRelay } from '../../../lib/relay/relay.ts';
import { Circuits } from '../../../lib/state/circuits.ts';
import { Records } from '../../../lib/state/records.ts';
import { WatchHistory } from '../../../lib/state/watch-history.ts';
import { stateTables } from '../../support/state-table.ts';
import { watchServer } from '../../support/watch-server.ts';

const stop = new AbortController();
const undo: (() => unknown)[] = [() => stop.abort()];
afterEach(async () => {
  for (const step of undo.splice(0)) await step();
});

const expired = `${JSON.stringify({ type: 'ERROR', object: { code: 410, message: 'too old' } })}\n`;

it('a pod that vanishes in either is noticed within 15 s, also that of a Build without an Image', async () => {
  const [tables, server] = await Promise.all([stateTables(), watchServer()]);
  const table = await tables.empty();
  const records = new Records(table);
  // Both wait for their pods, and look again in ten minutes.
  for (const name of ['owned', 'orphaned'])
    await records.park({ cluster: 'one', kind: 'Build', namespace: 'team', name }, Math.floor(Date.now() / 1000) + 600);

  const delivered: Message[] = [];
  const known = new Set<string>();
  const sender = {
    send: async (_queue: string, messages: readonly Message[]): Promise<void> => {
      for (const message of messages) {
        // SQS swallows what it has had in the last five minutes.
        const novelty = noveltyOf(message);
        if (known.has(novelty)) continue;
        known.add(novelty);
        delivered.push(message);
        if (message.target.kind === 'Cluster' && isClusterNews(message.target.name))
          await hearOfCluster(
            { records, circuits: new Circuits(table), sender, clock: () => new Date(), pause: async () => undefined },
            'one',
            message.target.name,
            [message],
          );
      }
    },
  };
  const relay = startRelay(
    {
      cluster: 'one',
      transport: server.transport,
      kube: kubeClient(server.transport, stop.signal),
      history: new WatchHistory(table),
      sender,
      clock: () => new Date(),
      random: () => 0.5,
      log: () => undefined,
    },
    stop.signal,
  );
  undo.push(
    () => relay.stopped,
    () => server[Symbol.asyncDispose](),
    () => tables[Symbol.asyncDispose](),
  );
  await expect.poll(() => relay.notReady(), { timeout: 5000 }).toStrictEqual([]);
  const wokenOf = (name: string): number =>
    delivered.filter(({ target, reason }) => target.name === name && reason === 'due').length;
  // The first lists may have missed something as well.
  await expect.poll(() => wokenOf('owned'), { timeout: 5000 }).toBeGreaterThan(0);

  for (const _gap of [1, 2]) {
    const before = { owned: wokenOf('owned'), orphaned: wokenOf('orphaned') };
    const at = performance.now();
    for (const watch of server.watches.splice(0)) watch.raw(expired);
    await expect.poll(() => wokenOf('owned'), { timeout: 15_000 }).toBeGreaterThan(before.owned);
    await expect.poll(() => wokenOf('orphaned'), { timeout: 15_000 }).toBeGreaterThan(before.orphaned);
    expect(performance.now() - at).toBeLessThan(15_000);
    await expect.poll(() => relay.notReady(), { timeout: 5000 }).toStrictEqual([]);
  }
}, 60_000);
