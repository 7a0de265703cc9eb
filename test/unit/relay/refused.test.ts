/** A relay whose credential is refused: how often it asks, and how soon it watches again (DESIGN §3.34). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessTo } from '../../../lib/kube/access.ts';
import { kubeClient } from '../../../lib/kube/client.ts';
import { KubeError } from '../../../lib/kube/errors.ts';
import { followedTransport } from '../../../lib/kube/followed-transport.ts';
import { sleep } from '../../../lib/kube/sleep.ts';
import type { KubeTransport } from '../../../lib/kube/transport.ts';
import type { Message } from '../../../lib/queue/message.ts';
import { startRelay } from '../../../lib/relay/relay.ts';
import { WatchHistory } from '../../../lib/state/watch-history.ts';
import { type StateTables, stateTables } from '../../support/state-table.ts';
import { watchServer } from '../../support/watch-server.ts';

let tables: StateTables;
beforeAll(async () => {
  tables = await stateTables();
});
afterAll(() => tables[Symbol.asyncDispose]());

/** A relay of a server that takes `accepted` alone, entered with what lies in `token`. */
const begin = async () => {
  const stop = new AbortController();
  const server = await watchServer();
  const state = { token: 'old', accepted: 'old', refused: 0 };
  const checked = (token: string): KubeTransport => {
    const check = (): void => {
      if (token === state.accepted) return;
      state.refused += 1;
      throw new KubeError('unauthorized', 'GET: Unauthorized', { status: 401 });
    };
    return {
      server: 'api',
      send: async (request) => {
        check();
        return server.transport.send(request);
      },
      stream: async (request) => {
        check();
        return server.transport.stream(request);
      },
      close: () => undefined,
    };
  };
  const transport = followedTransport({
    source: {
      read: async () =>
        accessTo({ name: 'c', server: 'https://x', skipTLSVerify: false }, { name: 'u', token: state.token }),
    },
    connect: (config) => checked(config.getCurrentUser()?.token ?? ''),
  });
  const sent: Message[] = [];
  const relay = startRelay(
    {
      cluster: 'one',
      transport,
      kube: kubeClient(transport, stop.signal),
      history: new WatchHistory(await tables.empty()),
      sender: { send: async (_queue, messages) => void sent.push(...messages) },
      clock: () => new Date(),
      random: () => Math.random(),
      log: () => undefined,
    },
    stop.signal,
  );
  return {
    state,
    sent,
    server,
    untilReady: async () => {
      while (relay.notReady().length > 0) await sleep(20, stop.signal);
    },
    end: async () => {
      stop.abort();
      await relay.stopped;
      await server[Symbol.asyncDispose]();
    },
  };
};

describe.concurrent('a relay', () => {
  it('whose credential ended asks some times, watches everything within five seconds of the next, and says that it is back', async () => {
    const { state, sent, server, untilReady, end } = await begin();
    await untilReady();
    state.accepted = 'new';
    for (const watch of server.watches) watch.reset();
    await sleep(8000, AbortSignal.timeout(20_000));
    // The look that all watches begin with, at once, and one at a time since.
    expect(state.refused).toBeLessThanOrEqual(server.watches.length + 8);
    const changedAt = performance.now();
    state.token = 'new';
    await untilReady();
    expect(performance.now() - changedAt).toBeLessThan(5000);
    expect(sent.map(({ target }) => target.name)).toContain('back');
    await end();
  }, 30_000);

  it('whose credential is refused at its start begins within five seconds of another', async () => {
    const { state, untilReady, end } = await begin();
    state.accepted = 'new';
    await sleep(6000, AbortSignal.timeout(20_000));
    expect(state.refused).toBeLessThanOrEqual(8);
    const changedAt = performance.now();
    state.token = 'new';
    await untilReady();
    expect(performance.now() - changedAt).toBeLessThan(5000);
    await end();
  }, 30_000);

  it('whose credential was replaced while the old one is good is not interrupted when that ends', async () => {
    const { state, sent, server, untilReady, end } = await begin();
    await untilReady();
    Object.assign(state, { token: 'new', accepted: 'new' });
    for (const watch of server.watches) {
      watch.event('BOOKMARK', '10');
      watch.end();
    }
    await sleep(2500, AbortSignal.timeout(20_000));
    await untilReady();
    expect(state.refused).toBeLessThanOrEqual(server.watches.length);
    expect(sent.filter(({ target }) => target.name === 'back')).toHaveLength(0);
    await end();
  }, 30_000);
});
