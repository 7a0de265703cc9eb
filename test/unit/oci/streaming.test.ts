import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { fetchSend } from '../../../lib/oci/fetch-send.ts';
import { discard } from '../../../lib/oci/http.ts';
import { startWatchdog } from '../../../lib/oci/watchdog.ts';

const mebi = 1024 * 1024;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes in buffers that somebody still holds: garbage that merely waits for its collection does not count. */
const heldBytes = (): number => {
  collectGarbage();
  return process.memoryUsage().arrayBuffers;
};

describe('a large body', () => {
  it('is read no faster than the registry takes it: memory stays flat', async () => {
    let taken = 0;
    const server = createServer((request, response) => {
      const drain = async (): Promise<void> => {
        for await (const chunk of request) {
          taken += (chunk as Buffer).byteLength;
          if (taken % (4 * mebi) < 65_536) await sleep(1);
        }
        response.writeHead(201).end();
      };
      drain().catch(() => response.destroy());
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const before = heldBytes();
    let [given, furthestAhead, mostHeld] = [0, 0, 0];
    const open = async function* () {
      for (let n = 0; n < 200; n++) {
        given += mebi;
        furthestAhead = Math.max(furthestAhead, given - taken);
        if (n % 20 === 19) mostHeld = Math.max(mostHeld, heldBytes() - before);
        yield Buffer.alloc(mebi);
        await sleep(0);
      }
    };
    const response = await fetchSend()({ method: 'PUT', url, headers: {}, body: { size: 200 * mebi, open } });
    await discard(response);
    server.close();
    server.closeAllConnections();
    expect(response.status).toBe(201);
    expect(taken).toBe(200 * mebi);
    expect(furthestAhead).toBeLessThan(32 * mebi);
    // What fetch would keep for a redirect is twice this.
    expect(mostHeld).toBeLessThan(100 * mebi);
  });
});

describe('the watchdog', () => {
  const options = { idleMs: 30, minBytesPerSecond: 1000, graceMs: 10_000 };

  it('barks when nothing moves', async () => {
    const watchdog = startWatchdog(options);
    await once(watchdog.signal, 'abort');
    expect(watchdog.verdict()).toBe('no progress for 0.03 s');
  });

  it('does not count the time our own side takes', async () => {
    const watchdog = startWatchdog(options);
    watchdog.moved(1);
    await sleep(60);
    expect(watchdog.signal.aborted).toBe(false);
    watchdog.stop();
  });

  it('barks at a crawl once the grace is used up, however lively', async () => {
    const watchdog = startWatchdog({ idleMs: 1000, minBytesPerSecond: 1e6, graceMs: 40 });
    for (let n = 0; n < 20 && !watchdog.signal.aborted; n++) {
      await sleep(5);
      watchdog.moved(1);
      watchdog.waiting();
    }
    watchdog.stop();
    expect(watchdog.verdict()).toMatch(/^slower than 1000000 bytes\/s for/);
  });

  it('passes on the caller’s signal with its reason', () => {
    const caller = new AbortController();
    const watchdog = startWatchdog({ ...options, signal: caller.signal });
    caller.abort(new Error('the pass is over'));
    watchdog.stop();
    expect(watchdog.signal.aborted).toBe(true);
    expect(watchdog.verdict()).toBe('stopped by the caller: the pass is over');
  });
});
