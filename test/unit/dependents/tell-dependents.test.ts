/** Telling dependents: all of them, once, wherever it dies (DESIGN §3.8). */
import { DeleteMessageCommand } from '@aws-sdk/client-sqs';
import { afterEach, describe, expect, it } from 'vitest';
import { KubeError } from '../../../lib/kube/errors.ts';
import { parseMessage } from '../../../lib/queue/message.ts';
import { type Story, story } from '../../support/story.ts';
import { applyBuilder, applyImage, statusOf, storyReconciler } from '../../support/story-image.ts';

let told: Story | undefined;
const begin = async (): Promise<Story> => {
  told = await story({ reconciler: storyReconciler(), queue: 'image' });
  return told;
};
afterEach(async () => {
  await told?.[Symbol.asyncDispose]();
  told = undefined;
});

const builder = { kind: 'Builder', namespace: 'team', name: 'base' };
const builderTarget = { cluster: 'one', ...builder };

/** Edges of so many Images to the builder, or to the set of all builders. */
const followers = async (world: Story, count: number, name = 'base'): Promise<readonly string[]> => {
  const names = Array.from(
    { length: count },
    (_, index) => `app-${name === '*' ? 'any' : ''}${String(index).padStart(3, '0')}`,
  );
  await Promise.all(
    names.map(async (image) => {
      const target = world.target(image);
      await world.records.addEdges(target, await world.records.read(target), [{ ...builder, name }]);
    }),
  );
  return names;
};

/** Names of everybody whose message is on the queue, taking the messages off. */
const woken = async (world: Story): Promise<readonly string[]> => {
  const names: string[] = [];
  for (;;) {
    const batch = await world.receive('image', 10);
    if (batch.length === 0) return names.toSorted();
    for (const { body, receiptHandle } of batch) {
      await world.queues.send(
        new DeleteMessageCommand({ QueueUrl: world.queueUrl('image'), ReceiptHandle: receiptHandle }),
      );
      const parsed = parseMessage(body);
      if ('message' in parsed) names.push(parsed.message.target.name);
    }
  }
};

describe('telling dependents', () => {
  it('wakes those who named the object and those who named its whole set', async () => {
    const world = await begin();
    const [one = ''] = await followers(world, 1);
    const [any = ''] = await followers(world, 1, '*');
    await world.tell(applyBuilder(world.kube, 'base', 'v1'));
    expect(await world.deliver('dependents')).toStrictEqual(['told']);
    expect(await woken(world)).toStrictEqual([one, any].toSorted());
  });

  it('wakes nobody when they would see what they saw', async () => {
    const world = await begin();
    await followers(world, 1);
    const object = applyBuilder(world.kube, 'base', 'v1');
    await world.tell(object);
    await world.deliver('dependents');
    await woken(world);
    await world.tell(object, { list: '9@1' });
    expect(await world.deliver('dependents')).toStrictEqual(['unchanged']);
    expect(await woken(world)).toStrictEqual([]);
  });

  it('a spec that was changed and changed back wakes: somebody may have read it in between', async () => {
    const world = await begin();
    await followers(world, 1);
    await world.tell(applyBuilder(world.kube, 'base', 'v1'));
    await world.deliver('dependents');
    await woken(world);
    applyBuilder(world.kube, 'base', 'v2');
    await world.tell(applyBuilder(world.kube, 'base', 'v1'));
    expect(await world.deliver('dependents')).toStrictEqual(['told']);
  });

  it('two dependencies deleted within five minutes wake twice', async () => {
    const world = await begin();
    const target = world.target('app-000');
    await world.records.addEdges(target, await world.records.read(target), [builder, { ...builder, name: 'other' }]);
    for (const name of ['base', 'other']) {
      const object = applyBuilder(world.kube, name, 'v1');
      world.kube.remove('Builder', name);
      await world.tell(object);
      world.later(1);
      await world.deliver('dependents');
    }
    expect(world.held('image')).toBe(2);
  });

  // 120 followers are two pages; a telling writes: that it begins, then a page's ten or more batches, its cursor, and so on.
  it.each([1, 2, 8, 14])('dying after write %i of two pages loses nobody', async (write) => {
    const world = await begin();
    const names = await followers(world, 120);
    await world.tell(applyBuilder(world.kube, 'base', 'v1'));
    world.death.afterWrites(write);
    await world.deliver('dependents');
    world.startAgain();
    expect((await world.records.read(builderTarget)).fannedHash).toBeUndefined();
    world.later(151);
    expect(await world.deliver('dependents')).toStrictEqual(['told']);
    expect((await world.records.read(builderTarget)).fannedHash).toBeDefined();
    expect(await woken(world)).toStrictEqual(names);
  });

  it('goes on at its cursor: those told before are not told again', async () => {
    const world = await begin();
    const names = await followers(world, 120);
    await world.tell(applyBuilder(world.kube, 'base', 'v1'));
    // First after it has said that it begins, then after its first cursor.
    for (let life = 0; life < 2; life += 1) {
      world.death.after('UpdateItemCommand');
      expect(await world.deliver('dependents')).toStrictEqual(['died']);
      world.startAgain();
      world.later(151);
    }
    expect((await world.records.read(builderTarget)).fanCursor).toBeDefined();
    await woken(world);
    // More than the five minutes in which SQS would hide a repetition.
    world.later(400);
    expect(await world.deliver('dependents')).toStrictEqual(['told']);
    expect(await woken(world)).toStrictEqual(names.slice(100));
  });

  it('a telling that died and a status that went back: those who were told hear of it', async () => {
    const world = await begin();
    await followers(world, 1);
    applyBuilder(world.kube, 'base', 'v1');
    const first = world.kube.edit('Builder', 'base', (now) => Object.assign({}, now, { status: { seen: 1 } }));
    await world.tell(first);
    await world.deliver('dependents');
    await woken(world);
    await world.tell(world.kube.edit('Builder', 'base', (now) => Object.assign({}, now, { status: { seen: 2 } })));
    world.death.after('SendMessageBatchCommand');
    await world.deliver('dependents');
    world.startAgain();
    expect(await woken(world)).toHaveLength(1);
    world.kube.edit('Builder', 'base', (now) => Object.assign({}, now, { status: { seen: 1 } }));
    world.later(151);
    expect(await world.deliver('dependents')).toStrictEqual(['told']);
  });

  it('a cluster that does not answer puts it off, uses up no receives and is told when it is back', async () => {
    const world = await begin();
    await followers(world, 1);
    await world.tell(applyBuilder(world.kube, 'base', 'v1'));
    world.kube.failNext('get', /Builder/, new KubeError('unreachable', 'cannot reach the API server'));
    expect(await world.deliver('dependents')).toStrictEqual(['put off']);
    expect(world.held('dependents')).toBe(0);
    world.later(40);
    await world.sweep();
    expect(await world.deliver('dependents')).toStrictEqual(['told']);
    expect(await woken(world)).toHaveLength(1);
    world.later(700);
    expect(await world.sweep()).toBe(0);
  });

  it('through the whole chain: a builder changes, its Image shows it', async () => {
    const world = await begin();
    await world.tell(applyBuilder(world.kube, 'base', 'v1'));
    await world.tell(applyImage(world.kube, 'app', { builder: 'base' }));
    await world.untilQuiet();
    await world.tell(applyBuilder(world.kube, 'base', 'v2'));
    await world.untilQuiet();
    expect(statusOf(world.kube, 'app')).toStrictEqual({ seen: 'v2' });
  });
});
