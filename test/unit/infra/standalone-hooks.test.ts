import { afterEach, describe, expect, it } from 'vitest';
import { type HookEndpoint, serveHooks } from '../../../infra/standalone/hooks.ts';
import { hookAnswerer } from '../../../lib/hooks/answer.ts';
import { requestIn, resultFrom } from '../../../lib/hooks/function-url.ts';
import { maxHookBytes } from '../../../lib/hooks/request.ts';
import { secretsIn } from '../../../lib/hooks/secrets.ts';
import { githubPush, secret } from '../hooks/deliveries.ts';

let endpoint: HookEndpoint | undefined;
afterEach(() => endpoint?.close());

const start = async (): Promise<string> => {
  const answer = hookAnswerer({
    polls: {
      atPlace: () => Promise.resolve({ targets: [], next: undefined }),
      entries: () => Promise.resolve({ entries: [], next: undefined }),
    },
    sender: { send: () => Promise.resolve() },
    secrets: () => Promise.resolve(secretsIn(secret)),
    clock: () => new Date(0),
    log: () => undefined,
  });
  endpoint = await serveHooks(async (event) => resultFrom(await answer(requestIn(event))), 0);
  return `http://127.0.0.1:${endpoint.port}/`;
};

describe('the endpoint for push hooks in standalone mode', () => {
  it('hands the bytes that were signed to the handler, and its answer back', async () => {
    const { headers, body } = githubPush();
    const url = await start();
    const init = { method: 'POST', headers: headers as Record<string, string> };
    const taken = await fetch(url, { ...init, body: new Uint8Array(body) });
    expect([taken.status, await taken.json()]).toEqual([202, { taken: 'what follows the repository looks at it' }]);
    const forged = await fetch(url, { ...init, body: '{}' });
    expect(forged.status).toBe(401);
  });

  it('reads no more than a mebibyte', async () => {
    const body = new Uint8Array(maxHookBytes + 70_000);
    const answer = await fetch(await start(), { method: 'POST', body });
    expect(answer.status).toBe(413);
  });

  it('answers other methods without reading', async () => {
    expect((await fetch(await start())).status).toBe(405);
  });
});
