/** What `kpackless dlq` shows of dead letters, and does with them. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Message } from '../../../lib/queue/message.ts';
import { Records } from '../../../lib/state/records.ts';
import { type CommandWorld, commandWorld } from '../../support/command-run.ts';

let world: CommandWorld;
beforeEach(() => {
  world = commandWorld();
});
afterEach(() => world[Symbol.dispose]());

const now = Date.parse('2026-01-01T10:00:00Z') / 1000;
const image = { kind: 'Image', namespace: 'team', name: 'app' };

const message = (target: Message['target'], more: Partial<Message> = {}): Message => ({
  v: 1,
  cluster: 'prod',
  epoch: 'e.0',
  target,
  cause: { ...target, uid: 'u', resourceVersion: '1' },
  reason: 'self',
  ...more,
});

/** Puts a letter among the dead of `queue`. */
const bury = (queue: string, body: unknown): void =>
  world.messages.add(
    `${queue}-dlq`,
    [{ target: 't', tenant: 'x', bulk: false, id: crypto.randomUUID(), body: JSON.stringify(body) }],
    (now - 60) * 1000,
  );

const idOf = async (queue: string): Promise<string> => {
  const { json } = await world.run('dlq', 'list', queue, '--output', 'json');
  return (json as { letters: { id: string }[] }).letters[0]?.id ?? '';
};

describe('kpackless dlq list', () => {
  it('of none says so and ends with 0', async () => {
    const { code, out } = await world.run('dlq', 'list');
    expect([code, out]).toEqual([0, 'There are no dead letters.\n']);
  });

  it('says which object each is about, and what cannot be read, and ends with 3', async () => {
    bury('image', message(image));
    bury('build', { v: 1 });
    const { code, out } = await world.run('dlq', 'list');
    expect(code).toBe(3);
    expect(out).toMatch(/^image +1 +2026-01-01 09:59:00Z +Image team\/app in prod, self$/m);
    expect(out).toMatch(/^build +2 .*cannot be read: /m);
    expect(out).toContain('2 dead letters.');
  });

  it.each(['12abc', '0', '-1', '10001'])('--most %s is no number of letters, and ends with 2', async (most) => {
    const { code, err } = await world.run('dlq', 'list', '--most', most);
    expect(code).toBe(2);
    expect(err).toContain('it is a whole number from 1 to 10000');
  });

  it('of a queue that there is not names those that there are, and ends with 2', async () => {
    const { code, err } = await world.run('dlq', 'list', 'images');
    expect(code).toBe(2);
    expect(err).toContain('images is no queue; there are image, build');
  });
});

describe('kpackless dlq show', () => {
  it('says what the letter says, and why its passes failed', async () => {
    bury('image', message(image));
    world.passes.push({ at: '2026-01-01T09:59:30Z', what: 'pass threw', why: 'TypeError: x is undefined' });
    const { out } = await world.run('dlq', 'show', 'image', await idOf('image'));
    expect(out).toContain('Image team/app in prod, self');
    expect(out).toContain('pass threw: TypeError: x is undefined');
  });

  it('of a letter that is not there says where to look', async () => {
    const { code, err } = await world.run('dlq', 'show', 'image', '99');
    expect(code).toBe(1);
    expect(err).toContain('image has no dead letter 99: kpackless dlq list image');
  });
});

describe('kpackless dlq redrive', () => {
  it('of a queue brings all of them back with their receives before them', async () => {
    bury('image', message(image));
    bury('image', message({ ...image, name: 'other' }));
    expect((await world.run('dlq', 'redrive', 'image')).out).toContain('image: 2 dead letters are on their way back');
    expect(world.messages.count('image')).toBe(2);
    expect(world.messages.count('image-dlq')).toBe(0);
  });

  it('of all queues leaves out those that have none', async () => {
    bury('build', message({ ...image, kind: 'Build' }));
    expect((await world.run('dlq', 'redrive', 'all', '--output', 'json')).json).toEqual({
      queues: [{ name: 'build', deadLetters: 1 }],
    });
  });

  it('of one letter makes its object due now, and no other letter is touched', async () => {
    bury('image', message(image));
    bury('image', message({ ...image, name: 'other' }));
    await world.run('dlq', 'redrive', 'image', await idOf('image'));
    expect(world.messages.count('image-dlq')).toBe(1);
    expect((await new Records(world.table).read({ cluster: 'prod', ...image })).dueAt).toBe(now);
    expect((await new Records(world.table).due(0, now, 10)).length).toBeLessThanOrEqual(1);
  });

  it('of a telling of dependents makes the telling due, not the object', async () => {
    const stack = { kind: 'ClusterStack', namespace: '', name: 'base' };
    bury('dependents', message(stack));
    await world.run('dlq', 'redrive', 'dependents', await idOf('dependents'));
    const telling = { cluster: 'prod', kind: 'Dependents', namespace: '', name: 'ClusterStack/base' };
    expect((await new Records(world.table).read(telling)).dueAt).toBe(now);
    expect((await new Records(world.table).read({ cluster: 'prod', ...stack })).dueAt).toBeUndefined();
  });

  it('of news of a cluster is refused: no due time says the same', async () => {
    bury('dependents', message({ kind: 'Cluster', namespace: '', name: 'back' }));
    const { code, err } = await world.run('dlq', 'redrive', 'dependents', await idOf('dependents'));
    expect(code).toBe(1);
    expect(err).toContain('news of a cluster');
    expect(world.messages.count('dependents-dlq')).toBe(1);
  });
});

describe('kpackless dlq drop', () => {
  it('takes one away', async () => {
    bury('image', message(image));
    bury('image', message({ ...image, name: 'other' }));
    expect((await world.run('dlq', 'drop', 'image', await idOf('image'))).code).toBe(0);
    expect(world.messages.count('image-dlq')).toBe(1);
  });

  it('takes all away only when that is asked for', async () => {
    bury('image', message(image));
    expect((await world.run('dlq', 'drop', 'image')).code).toBe(2);
    expect(world.messages.count('image-dlq')).toBe(1);
    expect((await world.run('dlq', 'drop', 'image', '--all')).code).toBe(0);
    expect(world.messages.count('image-dlq')).toBe(0);
  });
});
