/** Each test is named after the loss that it prevents: outages and circuits (DESIGN §3.14), due times and the sweeper (DESIGN §3.7). */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { KubeError } from '../../../lib/kube/errors.ts';
import { clusterNews } from '../../../lib/relay/pointers.ts';
import { clusterScope, dueShardOf, recordKey } from '../../../lib/state/keys.ts';
import { imageStory, settledImage, wakeUp } from '../../support/image-story.ts';
import type { Story } from '../../support/story.ts';
import { applyImage, builds, imageOf } from '../../support/story-image.ts';

// A minute second by second takes two here, and many more on a machine that does much else.
vi.setConfig({ testTimeout: 90_000 });

let told: Story | undefined;
const begin = async (...how: Parameters<typeof imageStory>): Promise<Story> => (told = await imageStory(...how));
afterEach(async () => {
  await told?.[Symbol.asyncDispose]();
  told = undefined;
});

describe('a cluster that is down', () => {
  const down = () => new KubeError('unreachable', 'GET: cannot reach the API server');

  it('opens its circuit: the next wake-ups are parked without a call, and all come back', async () => {
    const world = await begin();
    await settledImage(world);
    world.kube.failNext('get', /Image/, down());
    await world.send('image', wakeUp('hook', { occasion: '1' }));
    expect(await world.deliver()).toStrictEqual(['failed']);
    world.kube.forget();
    applyImage(world.kube, 'web', { builder: 'base' });
    await world.tell(imageOf(world.kube, 'web'));
    await world.send('image', wakeUp('hook', { occasion: '2' }));
    expect((await world.deliver()).toSorted()).toStrictEqual(['parked', 'parked']);
    expect(world.kube.calls).toStrictEqual([]);
    expect(world.held('image')).toBe(0);
    // One of them is the probe; the other comes when a probe that died would have been given up.
    world.later(15);
    await world.untilQuiet();
    world.later(31);
    await world.untilQuiet();
    expect(builds(world.kube)).toContain('web-v1');
    expect((await world.records.read(world.target('app'))).attempts).toBe(0);
  });

  it.each([3, 8, 15])(
    'for %i s is no loss of minutes: ten seconds after it is back everything has gone on',
    async (outage) => {
      const world = await begin();
      const names = ['a', 'b', 'c', 'd', 'e', 'f'];
      for (const name of names) await world.tell(applyImage(world.kube, name, { builder: 'base' }));
      world.kube.forget();
      world.kube.down = down();
      for (let second = 0; second < outage; second += 1) {
        await world.untilQuiet();
        world.later(1);
      }
      const asked = world.kube.calls.length;
      world.kube.down = undefined;
      for (let second = 0; second < 10; second += 1) {
        await world.untilQuiet();
        world.later(1);
      }
      expect(builds(world.kube)).toStrictEqual(names.map((name) => `${name}-v1`));
      // Those that were under way when it went, and then one probe at a time.
      expect(asked).toBeLessThanOrEqual(names.length + 6);
    },
  );

  it.each([20, 60])(
    'for %i s, and found back by its relay, is no further wait: three seconds later everything has gone on',
    async (outage) => {
      const world = await begin();
      const names = ['a', 'b', 'c', 'd', 'e', 'f'];
      for (const name of names) await world.tell(applyImage(world.kube, name, { builder: 'base' }));
      world.kube.down = down();
      for (let second = 0; second < outage; second += 1) {
        await world.untilQuiet();
        world.later(1);
      }
      world.kube.down = undefined;
      await world.send('dependents', clusterNews({ cluster: 'one', epoch: 'e.0' }, 'back', world.now()).message);
      for (let second = 0; second < 3; second += 1) {
        await world.untilQuiet();
        world.later(1);
      }
      expect(builds(world.kube)).toStrictEqual(names.map((name) => `${name}-v1`));
    },
  );

  it.each([
    ['unauthorized', 401],
    ['forbidden', 403],
    ['server', 500],
    ['server', 504],
  ] as const)(
    'that answered a minute long, %s (%i), and is found back by its relay: three seconds later everything has gone on',
    async (code, status) => {
      const world = await begin();
      const names = ['a', 'b', 'c', 'd', 'e', 'f'];
      for (const name of names) await world.tell(applyImage(world.kube, name, { builder: 'base' }));
      const pace = status < 500 ? 'slow' : 'soon';
      world.kube.down = new KubeError(code, 'GET: not now', { status, pace });
      for (let second = 0; second < 60; second += 1) {
        await world.untilQuiet();
        world.later(1);
      }
      world.kube.down = undefined;
      await world.send('dependents', clusterNews({ cluster: 'one', epoch: 'e.0' }, 'back', world.now()).message);
      for (let second = 0; second < 3; second += 1) {
        await world.untilQuiet();
        world.later(1);
      }
      expect(builds(world.kube)).toStrictEqual(names.map((name) => `${name}-v1`));
    },
  );

  it('that does not know our credential is asked by one probe at a time', async () => {
    const world = await begin();
    for (const name of ['a', 'b', 'c']) await world.tell(applyImage(world.kube, name, { builder: 'base' }));
    world.kube.down = new KubeError('unauthorized', 'GET: Unauthorized', { status: 401, pace: 'slow' });
    await world.deliver();
    world.kube.forget();
    world.kube.down = new KubeError('unauthorized', 'GET: Unauthorized', { status: 401, pace: 'slow' });
    for (let second = 0; second < 60; second += 1) {
      await world.untilQuiet();
      world.later(1);
    }
    expect(world.kube.calls.length).toBeLessThanOrEqual(8);
  });

  it('is asked by one probe at a time', async () => {
    const world = await begin();
    for (const name of ['a', 'b', 'c']) await world.tell(applyImage(world.kube, name, { builder: 'base' }));
    await world.circuits.failed(clusterScope('one'), Math.floor(world.now().getTime() / 1000));
    world.later(6);
    world.kube.failNext('get', /Image/, down());
    expect((await world.deliver()).toSorted()).toStrictEqual(['failed', 'parked', 'parked']);
  });

  it('that says when to come back is not asked before', async () => {
    const world = await begin();
    await settledImage(world);
    world.kube.failNext('get', /Image/, new KubeError('server', 'not now', { status: 503, retryAfterSeconds: 100 }));
    await world.send('image', wakeUp('hook', { occasion: '1' }));
    await world.deliver();
    expect((await world.records.read(world.target('app'))).dueAt).toBe(world.now().getTime() / 1000 + 100);
    world.kube.forget();
    world.later(95);
    await world.send('image', wakeUp('hook', { occasion: '2' }));
    expect(await world.deliver()).toStrictEqual(['parked']);
    expect(world.kube.calls).toStrictEqual([]);
  });

  it('a probe that is refused says that the cluster is there: nobody else is parked', async () => {
    const world = await begin();
    await settledImage(world);
    await world.circuits.failed(clusterScope('one'), Math.floor(world.now().getTime() / 1000));
    world.later(6);
    world.kube.failNext('get', /Image/, new KubeError('forbidden', 'no', { status: 403, pace: 'slow' }));
    await world.send('image', wakeUp('hook', { occasion: '1' }));
    expect(await world.deliver()).toStrictEqual(['failed']);
    world.later(1);
    await world.send('image', wakeUp('hook', { occasion: '2' }));
    expect(await world.deliver()).toStrictEqual(['settled']);
  });
});

describe('a cluster that throttles', () => {
  const throttled = (retryAfterSeconds?: number) =>
    new KubeError('throttled', 'too many', { status: 429, retryAfterSeconds });

  it('keeps nobody else waiting, and the one it refused comes again in seconds, without a sweep', async () => {
    const world = await begin();
    await world.tell(applyImage(world.kube, 'app', { builder: 'base' }));
    await world.tell(applyImage(world.kube, 'web', { builder: 'base' }));
    world.kube.failNext('get', /Image team\/app/, throttled());
    world.kube.failNext('create', /Build team\/web/, throttled());
    expect(await world.deliver()).toStrictEqual(['failed', 'failed']);
    world.later(1);
    expect((await world.deliver()).toSorted()).toStrictEqual(['settled', 'settled']);
    expect(builds(world.kube)).toStrictEqual(['app-v1', 'web-v1']);
    expect((await world.records.read(world.target('app'))).attempts).toBe(0);
  });

  it('for so long that messages would become dead letters makes none: the clock takes over', async () => {
    const world = await begin();
    await world.tell(applyImage(world.kube, 'app', { builder: 'base' }));
    world.kube.down = throttled();
    for (let second = 0; second < 120; second += 1) {
      await world.untilQuiet();
      world.later(1);
    }
    expect([world.held('image'), world.held('image-dlq')]).toStrictEqual([0, 0]);
    world.kube.down = undefined;
    world.later(600);
    await world.untilQuiet();
    expect(builds(world.kube)).toStrictEqual(['app-v1']);
  });

  it('that says to come back much later is asked then', async () => {
    const world = await begin();
    await settledImage(world);
    world.kube.failNext('get', /Image/, throttled(100));
    await world.send('image', wakeUp('hook', { occasion: '1' }));
    expect(await world.deliver()).toStrictEqual(['failed']);
    expect(world.held('image')).toBe(0);
    expect((await world.records.read(world.target('app'))).dueAt).toBe(world.now().getTime() / 1000 + 100);
  });

  it('an event that comes again after its pass failed is not skipped as one that was decided on', async () => {
    const world = await begin();
    await settledImage(world);
    const edited = applyImage(world.kube, 'app', { builder: 'base', wish: 'again' });
    applyImage(world.kube, 'app', { builder: 'base' });
    await world.tell(imageOf(world.kube, 'app'));
    expect(edited.metadata?.resourceVersion).not.toBe(imageOf(world.kube, 'app').metadata?.resourceVersion);
    world.kube.failNext('create', /Build/, throttled());
    expect(await world.deliver()).toStrictEqual(['failed']);
    world.later(1);
    expect(await world.deliver()).toStrictEqual(['settled']);
  });
});

describe('time', () => {
  it('a timer that asks for itself at once is not swallowed as a repetition', async () => {
    const world = await begin();
    await world.tell(applyImage(world.kube, 'app', { builder: 'base', wish: 'again' }));
    expect(await world.deliver()).toStrictEqual(['again']);
    for (let second = 0; second < 5; second += 1) {
      world.later(1);
      expect(await world.sweep()).toBe(1);
      expect(await world.deliver()).toStrictEqual(['again']);
    }
  });

  it('a sweeper that dies after sending sends again: one wake-up, none lost', async () => {
    const world = await begin();
    await settledImage(world);
    await world.records.park(world.target('app'), world.now().getTime() / 1000);
    world.death.afterWrites(1);
    await expect(world.sweep()).rejects.toThrow('SQS did not accept');
    world.startAgain();
    expect(world.held('image')).toBe(1);
    await world.sweep();
    expect(world.held('image')).toBe(1);
    expect(await world.deliver()).toStrictEqual(['settled']);
  });

  it('a wake-up that nobody answered is sent again after ten minutes', async () => {
    const world = await begin();
    await settledImage(world);
    await world.records.park(world.target('app'), world.now().getTime() / 1000);
    await world.sweep();
    const [lost] = await world.receive('image', 1);
    expect(lost?.body).toContain('due');
    world.later(599);
    expect(await world.sweep()).toBe(0);
    world.later(2);
    expect(await world.sweep()).toBe(1);
  });

  it('a pass that finishes before the sweeper moves the due time keeps its own', async () => {
    const world = await begin();
    await settledImage(world);
    const target = world.target('app');
    const dueAt = world.now().getTime() / 1000;
    await world.records.park(target, dueAt);
    await world.send('image', wakeUp('due', { occasion: `due@${dueAt}` }));
    await world.deliver();
    const { dueAt: chosen } = await world.records.read(target);
    expect(await world.records.postpone({ target, dueAt }, dueAt + 600)).toBe(false);
    expect((await world.records.read(target)).dueAt).toBe(chosen);
  });

  it('an index that lags shows a due time that was replaced: one pass too many, and the new time stands', async () => {
    const world = await begin({}, 150);
    await settledImage(world);
    const target = world.target('app');
    const past = world.now().getTime() / 1000 - 1;
    await world.records.park(target, past);
    await expect.poll(() => world.records.due(shardWith(world), past, 10).then((due) => due.length)).toBe(1);
    await world.records.park(target, past + 1000);
    await world.sweep();
    expect(await world.deliver()).toStrictEqual(['settled']);
    expect((await world.records.read(target)).dueAt).toBeGreaterThan(past + 60_000);
  });
});

const shardWith = (world: Story): number => dueShardOf(recordKey(world.target('app')));
