/** Deduplication ids: equal for one event seen twice, different whenever a wake-up says something new (DESIGN §3.2). */
import { describe, expect, it } from 'vitest';
import { deduplicationIdOf, dueOccasion, groupIdOf, type Message, parseMessage } from '../../../lib/queue/message.ts';

const target = { kind: 'Image', namespace: 'team', name: 'app' };
const self: Message = {
  v: 1,
  cluster: 'one',
  epoch: 'e.0',
  target,
  cause: { ...target, uid: 'u', resourceVersion: '5' },
  reason: 'self',
};
const id = (change: Partial<Message> = {}): string => deduplicationIdOf({ ...self, ...change });

describe('deduplication id', () => {
  it('two relays that see one event send one message', () => {
    expect(id({ target: { ...target }, cause: { ...self.cause } })).toBe(id());
  });

  it.each<[string, Partial<Message>]>([
    ['the next version', { cause: { ...self.cause, resourceVersion: '6' } }],
    ['the same version after a restore', { epoch: 'e.1' }],
    ['an object made again under the name', { cause: { ...self.cause, uid: 'v' } }],
    ['the same event of a child', { reason: 'child' }],
    ['the same event as a dependency', { reason: 'dependency' }],
    ['another cluster', { cluster: 'two' }],
    ['another target', { target: { ...target, name: 'web' } }],
    ['another kind', { target: { ...target, kind: 'Build' } }],
    ['a list', { reason: 'list', occasion: '9@1' }],
  ])('%s is another message', (_, change) => {
    expect(id(change)).not.toBe(id());
  });

  it.each<[string, Message['reason'], string, string]>([
    ['timers', 'due', dueOccasion(100), dueOccasion(101)],
    ['lists', 'list', '9@1', '9@2'],
    ['redrives', 'redrive', 'old-id', 'other-id'],
  ])('%s of an object that has not changed are told apart by their occasion', (_, reason, one, other) => {
    expect(id({ reason, occasion: one })).toBe(id({ reason, occasion: one }));
    expect(id({ reason, occasion: one })).not.toBe(id({ reason, occasion: other }));
  });

  it('fits into what SQS takes, however long the names', () => {
    const name = 'n'.repeat(253);
    expect(id({ target: { ...target, name } })).toHaveLength(43);
    expect(groupIdOf({ cluster: 'one', ...target, name })).toHaveLength(43);
  });
});

it('names with slashes do not share a group', () => {
  const group = (namespace: string, name: string): string => groupIdOf({ cluster: 'one', kind: 'K', namespace, name });
  expect(group('a', 'b')).not.toBe(group('', 'a/b'));
});

it('a message survives its way as JSON', () => {
  expect(parseMessage(JSON.stringify(self))).toStrictEqual({ message: self });
});

describe('names in a message', () => {
  const body = (target: object, cause: object = { uid: '', resourceVersion: '' }): string => {
    const named = { kind: 'Image', namespace: 'team', name: 'app', ...target };
    return JSON.stringify({
      v: 1,
      cluster: 'one',
      epoch: '',
      target: named,
      cause: { ...named, ...cause },
      reason: 'self',
    });
  };
  const isRead = (text: string): boolean => 'message' in parseMessage(text);

  it.each([
    {},
    { name: 'a.b-c' },
    { kind: 'ClusterStore', namespace: '' },
    { kind: 'GitPoll', namespace: '', name: `${'a'.repeat(40)}.${'b'.repeat(32)}` },
    { kind: 'Dependents', name: 'Builder/base' },
    { kind: 'ServiceAccount', name: 'default' },
  ])('are taken as Kubernetes and we ourselves give them: %j', (target) => {
    expect(isRead(body(target, { uid: 'u', resourceVersion: '1' }))).toBe(true);
  });

  it.each([
    { name: 'a#b' },
    { name: '..' },
    { name: 'a/b' },
    { name: '' },
    { name: 'a\u0000' },
    { name: 'a\n' },
    { name: '*' },
    { name: 'a'.repeat(254) },
    { namespace: 'a#b' },
    { namespace: '..' },
    { namespace: 'a.b' },
    { namespace: 'a'.repeat(64) },
    { kind: 'Secret' },
    { kind: 'Image#team' },
    { kind: 'toString' },
    { kind: 'Dependents', name: 'base' },
    { kind: 'Dependents', name: 'Secret/s' },
    { kind: 'Dependents', name: 'Builder/..' },
    { kind: 'Dependents', name: 'Builder/a#b' },
    { kind: 'Dependents', name: 'Builder/a/b' },
  ])('that would be another key or path make it unreadable: %j', (target) => {
    expect(isRead(body(target))).toBe(false);
    expect(isRead(body({}, { ...target, uid: '', resourceVersion: '' }))).toBe(false);
  });

  it.each(['uid', 'resourceVersion'])('and so does a %s that cannot be printed', (field) => {
    expect(isRead(body({}, { uid: '', resourceVersion: '', [field]: 'a\u0000' }))).toBe(false);
  });
});
