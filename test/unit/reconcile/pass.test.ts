/** What a pass leaves behind for the skip rule and for those it wakes. */

import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { expect, it } from 'vitest';
import { openDatabase } from '../../../lib/embedded/database.ts';
import { sqliteTable } from '../../../lib/embedded/sqlite-table.ts';
import { KubeError } from '../../../lib/kube/errors.ts';
import type { Message } from '../../../lib/queue/message.ts';
import { makePass, type Progress } from '../../../lib/reconcile/pass.ts';
import type { Reconcilable } from '../../../lib/reconcile/reconciler.ts';
import { maySkip } from '../../../lib/reconcile/skip.ts';
import { pointersFor, watchedKinds } from '../../../lib/relay/pointers.ts';
import { DynamoDbTable } from '../../../lib/state/dynamodb-table.ts';
import { Records } from '../../../lib/state/records.ts';
import { FakeKube } from '../../support/fake-kube.ts';

type Shown = Reconcilable & { readonly status?: { readonly seen: string } };

/** A pass over an Image, in the middle. */
const inPass = (
  records = new Records(new DynamoDbTable(new DynamoDBClient({ region: 'none' }), 'none')),
  messages: readonly Message[] = [],
) => {
  const heard: string[] = [];
  const kube = new FakeKube();
  const object = kube.put<Shown>({ kind: 'Image', metadata: { namespace: 'team', name: 'app' } });
  const record = { attempts: 0, edges: [], looseEdges: [], seen: [] };
  const progress: Progress<Shown> = { object, record, dependencies: undefined, memory: undefined, seen: new Set() };
  const sent: Message[] = [];
  const pass = makePass<Shown>({
    target: { cluster: 'one', kind: 'Image', namespace: 'team', name: 'app' },
    kube,
    messages,
    epoch: 'e.3',
    progress,
    signal: AbortSignal.timeout(1000),
    deadline: 0,
    reconciler: { transition: (_before, after) => ({ reason: 'Waiting', type: 'Normal', note: after?.seen ?? '' }) },
    announcer: {
      tell: async ({ transition }) => void heard.push(`told ${transition.note}`),
      happened: ({ transition }) => void heard.push(`happened ${transition.note}`),
    },
    records,
    sender: { send: async (_queue, messages) => void sent.push(...messages) },
    random: () => 0,
    clock: () => new Date(5000),
  });
  const edit = (): Reconcilable =>
    kube.edit('Image', 'app', (image) => ({ ...image, metadata: { ...image.metadata, labels: { by: 'user' } } }));
  return { kube, object, progress, pass, sent, edit, heard };
};
/** With a table that keeps what is recorded. */
const inTable = async () => {
  const records = new Records(sqliteTable(openDatabase()));
  return { ...inPass(records), records };
};
const versionOf = (object: Shown | undefined): string | undefined => object?.metadata?.resourceVersion;

it('the version of our own status write is remembered, so that its event is skipped', async () => {
  const { object, progress, pass } = inPass();
  const written = await pass.writeStatus(object, { seen: '1' });
  expect(versionOf(progress.object)).toBe(versionOf(written));
});

it('a status written over an edit that was not decided on is not: the edit would be skipped with it', async () => {
  const { object, progress, pass, edit } = inPass();
  await pass.writeStatus(edit(), { seen: '1' });
  expect(versionOf(progress.object)).toBe(versionOf(object));
});

it('a status of another object is not taken for ours', async () => {
  const { kube, object, progress, pass } = inPass();
  const other = kube.put<Shown>({ kind: 'Image', metadata: { namespace: 'team', name: 'web' } });
  await pass.writeStatus(other, { seen: '1' });
  expect(versionOf(progress.object)).toBe(versionOf(object));
});

it('what a status says is told beside its write, and has happened when it is written; of another object nothing is told', async () => {
  const { kube, object, pass, heard } = inPass();
  kube.failNext('replaceStatus', /app/, new KubeError('conflict', 'somebody wrote first'));
  await expect(pass.writeStatus(object, { seen: '1' })).rejects.toThrow('somebody wrote first');
  expect(heard).toEqual(['told 1']);
  await pass.writeStatus(object, { seen: '1' });
  expect(heard).toEqual(['told 1', 'told 1', 'happened 1']);
  await pass.writeStatus(kube.put<Shown>({ kind: 'Image', metadata: { namespace: 'team', name: 'web' } }), {
    seen: '2',
  });
  expect(heard).toHaveLength(3);
});

it('a status that says nothing new is not written', async () => {
  const { kube, object, pass } = inPass();
  const written = await pass.writeStatus(object, { seen: '1' });
  kube.forget();
  await pass.writeStatus(written, { seen: '1' });
  expect(kube.calls).toStrictEqual([]);
});

it('what was made is handed over with the message that the relay will send about it', async () => {
  const { pass, sent } = inPass();
  const made = { kind: 'Build', metadata: { namespace: 'team', name: 'app-build-1', uid: 'u', resourceVersion: '7' } };
  await pass.handOver(made);
  const watched = watchedKinds.find(({ kind }) => kind === 'Build');
  if (watched === undefined) throw new Error('Builds are not watched');
  const origin = { cluster: 'one', epoch: 'e.3' };
  const [relayed] = pointersFor(watched, made.metadata, origin, undefined, { added: true });
  expect(sent).toEqual([relayed?.message]);
});

it.each([
  ['one of many makes others so', [true, true], true],
  ['one of many that somebody has changed as well does not', [true, undefined], undefined],
  ['one that somebody has changed does not', [undefined], undefined],
])('who is woken as %s', async (_, marks, expected) => {
  const target = { kind: 'Image', namespace: 'team', name: 'app' };
  const cause = { ...target, uid: 'u', resourceVersion: '1' };
  const messages = marks.map(
    (bulk): Message => ({ v: 1, cluster: 'one', epoch: 'e.3', target, cause, reason: 'self', bulk }),
  );
  const { pass, sent } = inPass(undefined, messages);
  await pass.handOver({ kind: 'Build', metadata: { namespace: 'team', name: 'app-build-1' } });
  await pass.wake({ kind: 'Builder', namespace: 'team', name: 'base' });
  expect(sent.map(({ bulk }) => bulk)).toStrictEqual([expected, expected]);
});

it('a child that was settled by its maker is not looked at for any version it had on the way', async () => {
  const { pass, records } = await inTable();
  const made = { kind: 'SourceResolver', metadata: { namespace: 'team', name: 'app-source', resourceVersion: '7' } };
  const written = { kind: 'SourceResolver', metadata: { ...made.metadata, resourceVersion: '8' } };
  await pass.settleChild(written, [made]);
  const target = { cluster: 'one', kind: 'SourceResolver', namespace: 'team', name: 'app-source' };
  const record = await records.read(target);
  const event = (resourceVersion: string) => {
    const { cluster: _, ...self } = target;
    return { target: self, cause: { ...self, uid: '', resourceVersion }, epoch: 'e.3', reason: 'self' } as const;
  };
  expect(maySkip([event('7'), event('8')], record)).toBe(true);
  expect(maySkip([event('9')], record)).toBe(false);
  expect(record.dueAt).toBeGreaterThan(5 + 12 * 3600);
});

it('whoever is woken is told of the epoch that holds, whatever message began the pass', async () => {
  const { pass, sent } = inPass();
  await pass.wake({ kind: 'Build', namespace: 'team', name: 'b' });
  expect(sent[0]).toMatchObject({ epoch: 'e.3', reason: 'dependency', cause: { kind: 'Image', name: 'app' } });
});
