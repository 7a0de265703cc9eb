/** Telling dependents: all of them, once, wherever it dies (DESIGN §3.8). */
import { DeleteMessageCommand } from '@aws-sdk/client-sqs';
import { afterEach, describe, expect, it } from 'vitest';
import { KubeError } from '../../../lib/kube/errors.ts';
import type { KubeObject } from '../../../lib/kube/object.ts';
import { parseMessage } from '../../../lib/queue/message.ts';
import { noRecord, showDependency } from '../../../lib/state/records.ts';
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

/** An Image depends on nothing any more. */
const leave = async (world: Story, name: string): Promise<boolean> =>
  world.records.finish(
    world.target(name),
    { ...(await world.records.read(world.target(name))), looseEdges: [showDependency(builder)] },
    { resourceVersion: '1', epoch: '', attempts: 0, dueAt: 1, edges: [] },
  );

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

/** Hands over batches until the queue is empty; what became of each. */
const deliverAll = async (world: Story): Promise<readonly string[]> => {
  const results: string[] = [];
  for (let batch = await world.deliver('dependents'); batch.length > 0; batch = await world.deliver('dependents'))
    results.push(...batch);
  return results;
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
    // The cluster is probed; the telling waits behind it, until it has answered.
    expect(await world.sweep()).toBe(1);
    expect(await world.deliver('dependents')).toStrictEqual(['woken']);
    expect(await world.deliver('dependents')).toStrictEqual(['told']);
    expect(await woken(world)).toHaveLength(1);
    world.later(700);
    // The last look for somebody parked, and then nothing is left.
    expect(await world.sweep()).toBe(1);
    expect(await world.deliver('dependents')).toStrictEqual(['woken']);
    world.later(700);
    expect(await world.sweep()).toBe(0);
  });

  describe('costs the API server no read', () => {
    const reads = (world: Story): number => world.kube.calls.length;

    it('for what nobody depends on: 30 accounts that are listed, changed and deleted, and nothing is left of them', async () => {
      const world = await begin();
      const account = (name: string, secrets: readonly string[]) =>
        world.kube.put({
          apiVersion: 'v1',
          kind: 'ServiceAccount',
          metadata: { name, namespace: 'team' },
          secrets: secrets.map((secret) => ({ name: secret })),
        } as KubeObject);
      const names = Array.from({ length: 30 }, (_, index) => `account-${index}`);
      for (const name of names) await world.tell(account(name, []), { list: '9@1' });
      const listed = await deliverAll(world);
      for (const name of names) await world.tell(account(name, ['token']));
      const changed = await deliverAll(world);
      for (const name of names) {
        const last = account(name, []);
        world.kube.remove('ServiceAccount', name);
        await world.tell(last);
      }
      const deleted = await deliverAll(world);
      expect([...listed, ...changed, ...deleted]).toStrictEqual(Array.from({ length: 90 }, () => 'nobody'));
      expect(world.kube.calls).toStrictEqual([]);
      const left = await Promise.all(
        names.map((name) => world.table.get(`object#one#ServiceAccount#team#${name}`, 'record')),
      );
      expect(left.filter((item) => item !== undefined)).toStrictEqual([]);
    });

    it('for a version that dependents were told of, however often it is listed', async () => {
      const world = await begin();
      await followers(world, 1);
      const object = applyBuilder(world.kube, 'base', 'v1');
      await world.tell(object);
      await world.deliver('dependents');
      world.kube.forget();
      for (const list of ['9@1', '9@2', '9@3']) {
        await world.tell(object, { list });
        expect(await world.deliver('dependents')).toStrictEqual(['unchanged']);
      }
      expect(reads(world)).toBe(0);
    });

    it('for a later version that looks the same, after the first look', async () => {
      const world = await begin();
      await followers(world, 1);
      await world.tell(applyBuilder(world.kube, 'base', 'v1'));
      await world.deliver('dependents');
      const touched = world.kube.edit('Builder', 'base', (now) => ({
        ...now,
        metadata: { ...now.metadata, annotations: { seen: 'today' } },
      }));
      world.kube.forget();
      for (const list of ['9@1', '9@2']) {
        await world.tell(touched, { list });
        expect(await world.deliver('dependents')).toStrictEqual(['unchanged']);
      }
      expect(reads(world)).toBe(1);
    });

    it('for what somebody depended on once: the last look finds it out', async () => {
      const world = await begin();
      const [name = ''] = await followers(world, 1);
      await world.tell(applyBuilder(world.kube, 'base', 'v1'));
      await world.deliver('dependents');
      await leave(world, name);
      await world.tell(applyBuilder(world.kube, 'base', 'v2'));
      expect(await world.deliver('dependents')).toStrictEqual(['told']);
      world.kube.forget();
      await world.tell(applyBuilder(world.kube, 'base', 'v3'));
      expect(await world.deliver('dependents')).toStrictEqual(['nobody']);
      expect(reads(world)).toBe(0);
    });
  });

  it('an account that is deleted: who depends on it is told, and nothing is left of it', async () => {
    const world = await begin();
    const target = world.target('app');
    const account = { kind: 'ServiceAccount', namespace: 'team', name: 'builder' };
    await world.records.addEdges(target, noRecord, [account]);
    const object = world.kube.put({ apiVersion: 'v1', ...account, metadata: { name: 'builder', namespace: 'team' } });
    await world.tell(object);
    expect(await world.deliver('dependents')).toStrictEqual(['told']);
    world.kube.remove('ServiceAccount', 'builder');
    await world.tell({ ...object, metadata: { ...object.metadata, resourceVersion: '999' } });
    expect(await world.deliver('dependents')).toStrictEqual(['told']);
    expect(await woken(world)).toStrictEqual(['app', 'app']);
    expect(await world.table.get('object#one#ServiceAccount#team#builder', 'record')).toBeUndefined();
  });

  it('who depends on it anew, after nobody did, hears of a state that it had before', async () => {
    const world = await begin();
    const [name = ''] = await followers(world, 1);
    const status = (seen: number) =>
      world.kube.edit('Builder', 'base', (now) => Object.assign({}, now, { status: { seen } }));
    applyBuilder(world.kube, 'base', 'v1');
    await world.tell(status(1));
    await world.deliver('dependents');
    await woken(world);
    await leave(world, name);
    await world.tell(status(2));
    await world.deliver('dependents');
    await followers(world, 1);
    await woken(world);
    await world.tell(status(1));
    expect(await world.deliver('dependents')).toStrictEqual(['told']);
    expect(await woken(world)).toStrictEqual([name]);
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
