/** Deduplication ids: equal for one event seen twice, different whenever a wake-up says something new (DESIGN §3.2). */
import { describe, expect, it } from 'vitest';
import { placeDigest } from '../../../lib/git/place.ts';
import { parseGitUrl } from '../../../lib/git/url.ts';
import { deduplicationIdOf, dueOccasion, groupIdOf, type Message, parseMessage } from '../../../lib/queue/message.ts';
import { clusterNews, pointersFor, watchedKinds } from '../../../lib/relay/pointers.ts';
import { wakePlace } from '../../../lib/sources/wake-place.ts';
import { tellingOf } from '../../../lib/state/keys.ts';

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

describe('everything that is sent', () => {
  const read = (message: Message): unknown => parseMessage(JSON.stringify(message));
  const origin = { cluster: 'one', epoch: 'e.0' };

  it.each(watchedKinds.map((watched) => [watched.kind, watched] as const))('about a %s can be read', (_, watched) => {
    const owner = {
      apiVersion: 'kpack.io/v1alpha2',
      kind: watched.ownedBy ?? '',
      name: 'owner',
      uid: 'u',
      controller: true,
    };
    const meta = { name: 'an-object', namespace: 'team', uid: 'v', resourceVersion: '7', ownerReferences: [owner] };
    for (const occasion of [undefined, '9@1'])
      for (const { message } of pointersFor(watched, meta, origin, occasion))
        expect(read(message)).toStrictEqual({ message });
    expect(pointersFor(watched, meta, origin, undefined, { deleted: true })).not.toEqual([]);
  });

  it.each(['gap', 'back'] as const)('about the watches of a cluster can be read: %s', (news) => {
    const { message, queue } = clusterNews(origin, news, new Date(0));
    expect(queue).toBe('dependents');
    expect(read(message)).toStrictEqual({ message });
  });

  it('about a push can be read', async () => {
    const poll = { cluster: 'one', kind: 'GitPoll', namespace: 'team', name: 'a'.repeat(40) };
    const sent: Message[] = [];
    await wakePlace(
      {
        polls: {
          atPlace: (_place, _limit, from) =>
            Promise.resolve({ targets: from === undefined ? [poll] : [], next: undefined }),
          entries: () => Promise.resolve({ entries: [], next: undefined }),
        },
        sender: { send: (_queue, messages) => Promise.resolve(void sent.push(...messages)) },
      },
      { place: placeDigest(parseGitUrl('https://git.example/a')), refs: undefined, occasion: 'push' },
    );
    expect(sent).toHaveLength(1);
    for (const message of sent) expect(read(message)).toStrictEqual({ message });
  });

  it.each([
    { kind: 'ClusterStore', namespace: '', name: 'store' },
    { kind: 'ServiceAccount', namespace: 'team', name: 'sa' },
    { kind: 'Cluster', namespace: '', name: 'gap' },
  ])('about a telling of $kind that was put off can be read', (told) => {
    const { cluster: _, ...later } = tellingOf({ cluster: 'one', ...told });
    const message: Message = {
      ...self,
      target: later,
      cause: { ...later, uid: '', resourceVersion: '' },
      reason: 'due',
      occasion: 'due@1',
    };
    expect(read(message)).toStrictEqual({ message });
  });
});
