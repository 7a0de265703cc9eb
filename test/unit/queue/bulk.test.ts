import { describe, expect, it } from 'vitest';
import { areBulk, bulkLaneOf, markBulk } from '../../../lib/queue/bulk.ts';
import { deduplicationIdOf, type Message, parseMessage, type Reason } from '../../../lib/queue/message.ts';

const message = (name: string, reason: Reason, namespace = 'team'): Message => {
  const target = { kind: 'Image', namespace, name };
  return { v: 1, cluster: 'one', epoch: 'e', target, cause: { ...target, uid: 'u', resourceVersion: '1' }, reason };
};
const many = (count: number, reason: Reason, namespace?: string): readonly Message[] =>
  Array.from({ length: count }, (_, at) => message(`app-${at}`, reason, namespace));

describe('what is sent', () => {
  it.each(['list', 'dependency', 'due', 'redrive'] as const)('is bulk when there are many of %s', (reason) => {
    expect(markBulk(many(11, reason)).every(({ bulk }) => bulk)).toBe(true);
  });

  it.each(['list', 'dependency', 'due', 'redrive'] as const)('is no bulk when there are few of %s', (reason) => {
    expect(markBulk(many(10, reason)).some(({ bulk }) => bulk)).toBe(false);
  });

  it.each(['self', 'child', 'hook'] as const)(
    'is no bulk for being many of %s: senders say whose are too many',
    (reason) => {
      expect(markBulk(many(500, reason)).some(({ bulk }) => bulk)).toBe(false);
    },
  );

  it('keeps what somebody has just done urgent among many that are due', () => {
    const marked = markBulk([...many(200, 'due'), message('mine', 'self')]);
    expect(marked.filter(({ bulk }) => bulk !== true).map(({ target }) => target.name)).toEqual(['mine']);
  });

  it('is the same message in bulk and not, so that two relays may disagree', () => {
    const one = message('app', 'self');
    expect(deduplicationIdOf({ ...one, bulk: true })).toBe(deduplicationIdOf(one));
    expect(parseMessage(JSON.stringify({ ...one, bulk: true }))).toEqual({ message: { ...one, bulk: true } });
  });
});

describe('who is woken', () => {
  it('in bulk alone wakes others in bulk; anything urgent among it counts for all', () => {
    const bulk = { ...message('app', 'dependency'), bulk: true };
    expect(areBulk([bulk, bulk])).toBe(true);
    expect(areBulk([bulk, message('app', 'self')])).toBe(false);
    expect(areBulk([])).toBe(false);
  });
});

describe('a lane', () => {
  it('is one tenant’s to one queue; an object is always in the same', () => {
    const lanes = (namespace: string, queue: string) =>
      new Set(many(1000, 'list', namespace).map((one) => bulkLaneOf(one, queue)));
    expect(lanes('team', 'image').size).toBe(4);
    expect(lanes('team', 'image')).toEqual(lanes('team', 'image'));
    expect(lanes('team', 'image').intersection(lanes('other', 'image')).size).toBe(0);
    expect(lanes('team', 'image').intersection(lanes('team', 'dependents')).size).toBe(0);
  });
});
