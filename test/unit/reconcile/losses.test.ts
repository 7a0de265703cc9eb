/** Each test is named after the loss that it prevents: a sequence of events with versions, and where the process dies (DESIGN §3.3–§3.10). */
import { afterEach, describe, expect, it } from 'vitest';
import { KubeError } from '../../../lib/kube/errors.ts';
import { imageStory, settledImage, wakeUp } from '../../support/image-story.ts';
import type { Story } from '../../support/story.ts';
import { applyBuilder, applyImage, builds, type Interference, imageOf, statusOf } from '../../support/story-image.ts';

let told: Story | undefined;
const begin = async (...how: Parameters<typeof imageStory>): Promise<Story> => (told = await imageStory(...how));
afterEach(async () => {
  await told?.[Symbol.asyncDispose]();
  told = undefined;
});

describe('what may be skipped', () => {
  it('our own status write comes back as an event: it costs no request', async () => {
    const world = await begin();
    await settledImage(world);
    await world.tell(imageOf(world.kube, 'app'));
    expect(await world.deliver()).toStrictEqual(['skipped']);
    expect(world.kube.calls).toStrictEqual([]);
  });

  it('an edit that came between our read and the event of our write is not lost', async () => {
    const world = await begin();
    await settledImage(world);
    const written = imageOf(world.kube, 'app');
    await world.tell(applyImage(world.kube, 'app', { builder: 'other' }));
    await world.tell(written);
    expect(await world.deliver()).toStrictEqual(['settled']);
    expect(statusOf(world.kube, 'app')?.seen).toBe('none');
  });

  it('the same version of another epoch is another state: it is looked at', async () => {
    const world = await begin();
    await settledImage(world);
    await world.tell(imageOf(world.kube, 'app'), { epoch: 'e.1', list: '7@1' });
    expect(await world.deliver()).toStrictEqual(['settled']);
    expect(world.kube.calls).not.toStrictEqual([]);
  });

  it('an older version after a restore is not "seen already"', async () => {
    const world = await begin();
    await settledImage(world);
    const restored = imageOf(world.kube, 'app');
    await world.tell({ ...restored, metadata: { ...restored.metadata, resourceVersion: '1' } });
    expect(await world.deliver()).toStrictEqual(['settled']);
  });

  it.each(['due', 'dependency', 'child', 'hook', 'redrive'] as const)(
    'a %s message is never skipped, whatever version it names',
    async (reason) => {
      const world = await begin();
      await settledImage(world);
      const { uid = '', resourceVersion = '' } = imageOf(world.kube, 'app').metadata ?? {};
      const cause = { kind: 'Image', namespace: 'team', name: 'app', uid, resourceVersion };
      await world.send('image', wakeUp(reason, { cause }));
      expect(await world.deliver()).toStrictEqual(['settled']);
      expect(world.kube.calls).not.toStrictEqual([]);
    },
  );

  it('a timer in one batch with the echo of our own write is not skipped with it', async () => {
    const world = await begin();
    await settledImage(world);
    await world.tell(imageOf(world.kube, 'app'));
    await world.send('image', wakeUp('due', { occasion: 'due@5' }));
    expect(await world.deliver()).toStrictEqual(['settled']);
  });

  it('a message that names another kind than its queue reconciles nothing and does not come back', async () => {
    const world = await begin();
    await world.send('image', wakeUp('self', { target: { kind: 'Build', namespace: 'team', name: 'app' } }));
    expect(await world.deliver()).toStrictEqual(['misdirected']);
    expect(world.kube.calls).toStrictEqual([]);
    expect(world.held('image')).toBe(0);
  });
});

describe('dying', () => {
  /** As many as a first pass makes and one more, so that the last round does not die at all. */
  const deaths = Array.from({ length: 8 }, (_, index) => index + 1);

  it.each(deaths)('after write %i of a first pass: the work is repeated, and nothing is made twice', async (write) => {
    const world = await begin();
    await world.tell(applyImage(world.kube, 'app', { builder: 'base' }));
    world.death.afterWrites(write);
    await world.deliver();
    world.startAgain();
    world.later(90);
    await world.untilQuiet();
    expect(builds(world.kube)).toStrictEqual(['app-v1']);
    expect(statusOf(world.kube, 'app')).toStrictEqual({ seen: 'v1' });
    expect(world.kube.writes.filter((line) => line.startsWith('replaceStatus'))).toHaveLength(1);
    const record = await world.records.read(world.target('app'));
    expect(record).toMatchObject({ edges: ['Builder#team#base'], looseEdges: [], attempts: 0 });
    expect(record.dueAt).toBeGreaterThan(world.now().getTime() / 1000);
    expect(world.held('image')).toBe(0);
  });

  it.each(deaths)(
    'after write %i of changing dependencies: the new one wakes, the old one no longer',
    async (write) => {
      const world = await begin();
      await settledImage(world);
      applyBuilder(world.kube, 'other', 'w1');
      await world.tell(applyImage(world.kube, 'app', { builder: 'other' }));
      world.death.afterWrites(write);
      await world.deliver();
      world.startAgain();
      world.later(90);
      await world.untilQuiet();
      const waitingFor = async (name: string) =>
        (await world.records.dependents('one', { kind: 'Builder', namespace: 'team', name }, { limit: 10 })).targets;
      expect(await waitingFor('base')).toStrictEqual([]);
      expect(await waitingFor('other')).toStrictEqual([world.target('app')]);
      // And back again: an edge that was deleted must not be believed in.
      await world.tell(applyImage(world.kube, 'app', { builder: 'base' }));
      await world.untilQuiet();
      expect(await waitingFor('base')).toStrictEqual([world.target('app')]);
    },
  );

  it.each([
    ['another builder is wanted', false],
    ['the object is deleted', true],
  ])('right after an edge was written, and then %s: the edge goes when it wakes somebody', async (_, isDeleted) => {
    const world = await begin();
    const base = { kind: 'Builder', namespace: 'team', name: 'base' };
    const waiting = async () => (await world.records.dependents('one', base, { limit: 10 })).targets;
    applyBuilder(world.kube, 'other', 'w1');
    await world.tell(applyImage(world.kube, 'app', { builder: 'base' }));
    world.death.after('PutItemCommand');
    expect(await world.deliver()).toStrictEqual(['died']);
    world.startAgain();
    if (isDeleted) world.kube.remove('Image', 'app');
    else applyImage(world.kube, 'app', { builder: 'other' });
    world.later(90);
    await world.untilQuiet();
    // Nobody knows of it yet; it costs nothing.
    expect(await waiting()).toStrictEqual([world.target('app')]);
    await world.tell(applyBuilder(world.kube, 'base', 'v2'));
    await world.untilQuiet();
    world.later(700);
    await world.untilQuiet();
    expect(await waiting()).toStrictEqual([]);
    expect((await world.records.read(world.target('app'))).edges).toStrictEqual(
      isDeleted ? [] : ['Builder#team#other'],
    );
  });

  it('between deleting an edge and the record, and the user changes back: the edge is there again', async () => {
    const world = await begin();
    await settledImage(world);
    await world.tell(applyImage(world.kube, 'app', { builder: 'other' }));
    world.death.after('DeleteItemCommand');
    expect(await world.deliver()).toStrictEqual(['died']);
    world.startAgain();
    await world.tell(applyImage(world.kube, 'app', { builder: 'base' }));
    world.later(90);
    await world.untilQuiet();
    const { targets } = await world.records.dependents(
      'one',
      { kind: 'Builder', namespace: 'team', name: 'base' },
      { limit: 10 },
    );
    expect(targets).toStrictEqual([world.target('app')]);
  });

  it('between status and record: the event of that status is not skipped, and changes nothing', async () => {
    const world = await begin();
    await world.tell(applyImage(world.kube, 'app', { builder: 'base' }));
    world.death.after('status Image');
    expect(await world.deliver()).toStrictEqual(['died']);
    world.startAgain();
    world.later(90);
    world.kube.forget();
    await world.tell(imageOf(world.kube, 'app'));
    expect(await world.deliver()).toStrictEqual(['settled']);
    // A create that meets its own child, and nothing else.
    expect(world.kube.writes).toStrictEqual(['create Build team/app-v1 (refused)']);
    expect(builds(world.kube)).toStrictEqual(['app-v1']);
  });

  it('by a bug in the very first pass: the object is due all the same, and the message is not lost', async () => {
    const world = await begin();
    await world.tell(applyImage(world.kube, 'app', { builder: 'base', wish: 'throw' }));
    expect(await world.deliver()).toStrictEqual([]);
    expect(world.held('image')).toBe(1);
    expect((await world.records.read(world.target('app'))).dueAt).toBe(world.now().getTime() / 1000 + 600);
  });
});

describe('other writers', () => {
  it('a conflict is decided anew at once, with what the other has written', async () => {
    const world = await begin();
    await settledImage(world);
    applyBuilder(world.kube, 'base', 'v2');
    world.kube.failNext('replaceStatus', /Image/, new KubeError('conflict', 'modified', { status: 409 }));
    await world.send('image', wakeUp('dependency', { occasion: '1' }));
    expect(await world.deliver()).toStrictEqual(['settled']);
    expect(statusOf(world.kube, 'app')?.seen).toBe('v2');
  });

  it('conflicts without end are given up after three tries and tried again in seconds', async () => {
    const world = await begin();
    await settledImage(world);
    applyBuilder(world.kube, 'base', 'v2');
    for (let n = 0; n < 4; n += 1)
      world.kube.failNext('replaceStatus', /Image/, new KubeError('conflict', 'modified', { status: 409 }));
    await world.send('image', wakeUp('dependency', { occasion: '1' }));
    expect(await world.deliver()).toStrictEqual(['failed']);
    expect(world.held('image')).toBe(1);
    world.later(2);
    await world.untilQuiet();
    expect(statusOf(world.kube, 'app')?.seen).toBe('v2');
  });
});

describe('an object that is gone', () => {
  it('one 404 forgets nothing: the object may be back in a moment', async () => {
    const world = await begin();
    await settledImage(world);
    world.kube.remove('Image', 'app');
    await world.send('image', wakeUp('self', { cause: { ...wakeUp('self').cause, resourceVersion: '99' } }));
    expect(await world.deliver()).toStrictEqual(['gone']);
    expect((await world.records.read(world.target('app'))).edges).toStrictEqual(['Builder#team#base']);
  });

  it('the second 404 after ten minutes takes record and edges away', async () => {
    const world = await begin();
    await settledImage(world);
    world.kube.remove('Image', 'app');
    await world.send('image', wakeUp('self', { cause: { ...wakeUp('self').cause, resourceVersion: '99' } }));
    await world.deliver();
    world.later(300);
    await world.send('image', wakeUp('hook'));
    expect(await world.deliver()).toStrictEqual(['gone']);
    expect((await world.records.read(world.target('app'))).goneAt).toBeDefined();
    world.later(301);
    await world.untilQuiet();
    expect(await world.records.read(world.target('app'))).toMatchObject({
      edges: [],
      dueAt: undefined,
      goneAt: undefined,
    });
    const builder = { kind: 'Builder', namespace: 'team', name: 'base' };
    expect((await world.records.dependents('one', builder, { limit: 10 })).targets).toStrictEqual([]);
  });

  it.each([1, 2, 3])('dying after write %i of forgetting, and the object is made again: it is woken', async (write) => {
    const world = await begin();
    await settledImage(world);
    world.kube.remove('Image', 'app');
    await world.send('image', wakeUp('hook'));
    await world.deliver();
    world.later(601);
    await world.sweep();
    world.death.afterWrites(write);
    await world.deliver();
    world.startAgain();
    await world.tell(applyImage(world.kube, 'app', { builder: 'base' }));
    world.later(90);
    await world.untilQuiet();
    await world.tell(applyBuilder(world.kube, 'base', 'v2'));
    await world.untilQuiet();
    expect(statusOf(world.kube, 'app')?.seen).toBe('v2');
  });

  it('404 of the kind, as a server says that is starting, forgets nothing', async () => {
    const world = await begin();
    await settledImage(world);
    for (let minutes = 0; minutes < 30; minutes += 10) {
      world.kube.failNext('get', /Image/, new KubeError('not-found', 'the server could not find it', { status: 404 }));
      await world.send('image', wakeUp('hook', { occasion: String(minutes) }));
      expect(await world.deliver()).toStrictEqual(['failed']);
      world.later(600);
    }
    const record = await world.records.read(world.target('app'));
    expect(record).toMatchObject({ edges: ['Builder#team#base'], goneAt: undefined });
  });

  it('an object that was made again is reconciled like a new one', async () => {
    const world = await begin();
    await settledImage(world);
    world.kube.remove('Image', 'app');
    await world.send('image', wakeUp('hook'));
    await world.deliver();
    const again = applyImage(world.kube, 'app', { builder: 'base' });
    await world.tell(again);
    expect(await world.deliver()).toStrictEqual(['failed']);
    expect(statusOf(world.kube, 'app')?.failure).toMatch(/already exists/);
    expect((await world.records.read(world.target('app'))).goneAt).toBeUndefined();
  });
});

describe('dependencies', () => {
  it('a change between writing the edge and reading the dependency wakes', async () => {
    const meanwhile: Interference = {};
    const world = await begin(meanwhile);
    await world.tell(applyBuilder(world.kube, 'base', 'v1'));
    await world.deliver('dependents');
    meanwhile.beforeRead = async () => {
      // All of it happens while the pass holds its edge and has read nothing.
      await world.tell(applyBuilder(world.kube, 'base', 'v2'));
      await world.deliver('dependents');
    };
    await world.tell(applyImage(world.kube, 'app', { builder: 'base' }));
    await world.deliver();
    expect(world.held('image')).toBe(1);
    await world.untilQuiet();
    expect(statusOf(world.kube, 'app')?.seen).toBe('v2');
  });

  it('a change after the read wakes', async () => {
    const world = await begin();
    await settledImage(world);
    await world.tell(applyBuilder(world.kube, 'base', 'v2'));
    await world.untilQuiet();
    expect(statusOf(world.kube, 'app')?.seen).toBe('v2');
  });

  it('an edge is written once, not at each pass, and neither is what the record says already', async () => {
    const world = await begin();
    await settledImage(world);
    const before = world.death.written.length;
    await world.send('image', wakeUp('hook'));
    await world.deliver();
    // The refused create of the child is no write that went through.
    expect(world.death.written.slice(before)).toStrictEqual([]);
  });
});
