/** The embedded queue: order, receives, visibility, dead letters, and what a killed process leaves behind. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SQSEvent } from 'aws-lambda';
import { afterEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../../../lib/embedded/database.ts';
import { Messages } from '../../../lib/embedded/messages.ts';
import { EmbeddedQueues } from '../../../lib/embedded/queues.ts';
import type { Message } from '../../../lib/queue/message.ts';
import { queueRows } from '../../../lib/reconcile/kind-table.ts';

const folders: string[] = [];
const running: EmbeddedQueues[] = [];
afterEach(async () => {
  for (const queues of running.splice(0)) await queues.stop();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});
const fileOf = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'kpackless-queue-'));
  folders.push(folder);
  return join(folder, 'state.sqlite');
};

const wake = (
  name: string,
  more: Partial<Message> & { readonly namespace?: string; readonly version?: string } = {},
): Message => {
  const { namespace = 'team', version = '1', ...rest } = more;
  const target = { kind: 'Image', namespace, name };
  return {
    v: 1,
    cluster: 'one',
    epoch: 'e.0',
    target,
    cause: { ...target, uid: 'u', resourceVersion: version },
    reason: 'self',
    ...rest,
  };
};
const shown = ({ Records }: SQSEvent): readonly string[] =>
  Records.map(({ body, attributes }) => {
    const { target, cause } = JSON.parse(body) as Message;
    return `${target.name}@${cause.resourceVersion}/${attributes.ApproximateReceiveCount}`;
  });

/** Queues on a database, with one function that notes what it is given and does as it is told. */
const begin = (
  { path, concurrency = 5 }: { readonly path?: string; readonly concurrency?: number } = {},
  handle: (
    names: readonly string[],
    event: SQSEvent,
    queues: EmbeddedQueues,
  ) => Promise<readonly number[] | void> = async () => {},
) => {
  const database = openDatabase(path);
  const messages = new Messages(database);
  const warned: string[] = [];
  const queues = new EmbeddedQueues({
    messages,
    rows: queueRows,
    concurrency,
    clock: () => new Date(),
    warn: (what, why) => void warned.push(`${what}: ${String(why)}`),
  });
  running.push(queues);
  const given: (readonly string[])[] = [];
  const start = (): void =>
    queues.start('image', async (event) => {
      const names = shown(event);
      given.push(names);
      const failed = (await handle(names, event, queues)) ?? [];
      return { batchItemFailures: failed.map((at) => ({ itemIdentifier: event.Records[at]?.messageId ?? '' })) };
    });
  return { queues, given, warned, start, close: () => database.close(), messages };
};
const settled = async (given: readonly unknown[], count: number): Promise<void> => {
  await expect.poll(() => given.length, { timeout: 3000, interval: 5 }).toBe(count);
};

describe('the embedded queue', () => {
  it('hands all messages of a target to one invocation, in order, and forgets what succeeded', async () => {
    const { queues, given, start } = begin();
    await queues.send('image', [wake('a', { version: '1' }), wake('a', { version: '2' }), wake('b')]);
    start();
    await settled(given, 2);
    expect(given).toEqual([['a@1/1', 'a@2/1'], ['b@1/1']]);
    await expect.poll(() => [...queues.counts()]).toEqual([]);
  });

  it('works on a target never twice at once: what comes meanwhile follows', async () => {
    let open = 0;
    let most = 0;
    let goOn = (): void => undefined;
    const allSent = new Promise<void>((resolve) => (goOn = resolve));
    const { queues, given, start } = begin({}, async () => {
      most = Math.max(most, (open += 1));
      await allSent;
      open -= 1;
    });
    start();
    for (const version of ['1', '2', '3']) {
      await queues.send('image', [wake('a', { version })]);
      await sleep(5);
    }
    goOn();
    await settled(given, 2);
    expect(given).toEqual([['a@1/1'], ['a@2/1', 'a@3/1']]);
    expect(most).toBe(1);
  });

  it('works on many targets at once, but on no more than it may', async () => {
    let open = 0;
    let most = 0;
    const { queues, given, start } = begin({ concurrency: 3 }, async () => {
      most = Math.max(most, (open += 1));
      await sleep(5);
      open -= 1;
    });
    await queues.send(
      'image',
      Array.from({ length: 12 }, (_, at) => wake(`n${at}`)),
    );
    start();
    await settled(given, 12);
    expect(most).toBe(3);
  });

  it('swallows a message that a waiting one of its target equals, and no other', async () => {
    const { queues, given, start } = begin();
    await queues.send('image', [wake('a'), wake('a'), wake('a', { version: '2' })]);
    start();
    await settled(given, 1);
    await queues.send('image', [wake('a')]);
    await settled(given, 2);
    expect(given).toEqual([['a@1/1', 'a@2/1'], ['a@1/1']]);
  });

  it('shows again what failed after as long as the function said, before what came later', async () => {
    const started = performance.now();
    let tries = 0;
    const { queues, given, start } = begin({}, async (_names, event, all) => {
      if ((tries += 1) > 1) return [];
      await all.receipts().delay(event.Records, 0.1502);
      return [0];
    });
    await queues.send('image', [wake('a')]);
    start();
    await settled(given, 1);
    await queues.send('image', [wake('a', { version: '2' })]);
    await settled(given, 2);
    expect(given).toEqual([['a@1/1'], ['a@1/2', 'a@2/1']]);
    expect(performance.now() - started).toBeGreaterThan(140);
  });

  it('lets others go on while one waits for its next try', async () => {
    const { queues, given, start } = begin({}, async ([name = ''], event, all) => {
      if (!name.startsWith('bad')) return [];
      await all.receipts().delay(event.Records, 60);
      return [0];
    });
    await queues.send('image', [wake('bad'), wake('good')]);
    start();
    await settled(given, 2);
    await queues.send('image', [wake('good', { version: '2' })]);
    await settled(given, 3);
    expect(given.at(-1)).toEqual(['good@2/1']);
  });

  it('puts what failed five times among the dead letters, and brings it back with all its tries', async () => {
    let works = false;
    const { queues, given, start } = begin({}, async (_names, event, all) => {
      if (works) return [];
      await all.receipts().delay(event.Records, 0);
      return [0];
    });
    await queues.send('image', [wake('bad')]);
    start();
    await settled(given, 5);
    expect(await queues.look('image')).toEqual({ arn: 'image', messages: 1 });
    works = true;
    await queues.bringBack('image', 10);
    await settled(given, 6);
    expect(given.at(-1)).toEqual(['bad@1/1']);
    await expect.poll(() => [...queues.counts()]).toEqual([]);
  });

  it('takes a function that throws for one whose messages all failed, and says so', async () => {
    const { queues, given, start, warned } = begin({}, async (_names, event, all) => {
      await all.receipts().delay(event.Records, 60);
      throw new Error('out of order');
    });
    await queues.send('image', [wake('a')]);
    start();
    await settled(given, 1);
    await expect.poll(() => warned).toEqual(['the function of queue image failed: Error: out of order']);
    expect([...queues.counts()]).toEqual([['image', 1]]);
  });

  it('lets the Image of a quiet namespace be next, however many another has', async () => {
    const order: string[] = [];
    const { queues, given, start } = begin({ concurrency: 1 }, async ([name = '']) => void order.push(name));
    await queues.send(
      'image',
      Array.from({ length: 500 }, (_, at) => wake(`n${at}`)),
    );
    await queues.send('image', [wake('other', { namespace: 'quiet' })]);
    start();
    await settled(given, 501);
    expect(order.indexOf('other@1/1')).toBeLessThan(2);
  });
});

describe('a process that was killed', () => {
  it('left its messages: what was in hand comes at once, counted, and what waited comes after its time', async () => {
    const path = fileOf();
    const first = begin({ path }, () => new Promise(() => {}));
    await first.queues.send('image', [wake('in-hand'), wake('waits')]);
    first.messages.hide([2], Date.now() + 200);
    first.start();
    await settled(first.given, 1);
    // Dead: its function never ends, and nobody waits for it.
    void running.pop()?.stop();
    first.close();

    const second = begin({ path });
    second.start();
    await settled(second.given, 1);
    expect(second.given).toEqual([['in-hand@1/2']]);
    await settled(second.given, 2);
    expect(second.given[1]).toEqual(['waits@1/1']);
  });

  it('does not let another in while it lives', () => {
    const path = fileOf();
    const first = begin({ path });
    expect(() => openDatabase(path)).toThrow(/is in use: another kpackless runs with it/);
    first.close();
    expect(() => openDatabase(path).close()).not.toThrow();
  });
});
