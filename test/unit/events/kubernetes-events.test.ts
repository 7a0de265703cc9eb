/** Events of Kubernetes: once for one happening, counted when it happens again, never in anybody's way. */
import { beforeEach, describe, expect, it } from 'vitest';
import { EventWriter } from '../../../lib/events/event-writer.ts';
import type { Transition } from '../../../lib/events/transition.ts';
import type { KubeClient } from '../../../lib/kube/client.ts';
import { KubeError } from '../../../lib/kube/errors.ts';
import type { KubeObject } from '../../../lib/kube/object.ts';

const about = { apiVersion: 'kpack.io/v1alpha2', kind: 'Build', namespace: 'team', name: 'app-build-1', uid: 'u1' };
const failed: Transition = { reason: 'Failed', type: 'Warning', note: 'Failed: step build: exit 1' };
const at = (seconds: number): Date => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds));

type Stored = KubeObject & { readonly series?: unknown; readonly message?: string; readonly eventTime?: string };

let stored: Map<string, Stored>;
let calls: string[];
let counted: string[];
let warned: unknown[];
let writer: EventWriter;
let refusal: KubeError | undefined;

const kube = {
  create: async (event: Stored) => {
    calls.push('create');
    if (refusal !== undefined) throw refusal;
    const name = event.metadata?.name ?? '';
    if (stored.has(name)) throw new KubeError('already-exists', `events ${name} already exists`);
    stored.set(name, event);
    return event;
  },
  get: async ({ name }: { readonly name: string }) => {
    calls.push('get');
    return stored.get(name);
  },
  patch: async ({ name }: { readonly name: string }, patch: Stored) => {
    calls.push('patch');
    const next = { ...stored.get(name), series: patch.series };
    stored.set(name, next);
    return next;
  },
} as unknown as KubeClient;

beforeEach(() => {
  stored = new Map();
  [calls, counted, warned] = [[], [], []];
  refusal = undefined;
  writer = new EventWriter({
    metrics: { add: (name) => void counted.push(name) },
    warn: (_what, why) => void warned.push(why),
  });
});

describe('an Event', () => {
  it('says of whom, what, why and who says it, as Events of the newer form are', async () => {
    await writer.write(kube, 'one', about, failed, at(0));
    expect([...stored.values()]).toEqual([
      {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { namespace: 'team', name: expect.stringMatching(/^app-build-1\.[0-9a-f]{16}$/) as unknown },
        involvedObject: about,
        reason: 'Failed',
        type: 'Warning',
        message: failed.note,
        action: 'Reconcile',
        eventTime: '2026-01-01T00:00:00.000000Z',
        reportingComponent: 'kpackless.io/reconciler',
        reportingInstance: 'kpackless',
      },
    ]);
  });

  it('is one however often the pass that tells it runs', async () => {
    await writer.write(kube, 'one', about, failed, at(0));
    await writer.write(kube, 'one', about, failed, at(30));
    expect(stored.size).toBe(1);
    expect(calls).toEqual(['create', 'create', 'get']);
  });

  it('is counted in its series when the same happens again later', async () => {
    for (const seconds of [0, 120, 300]) await writer.write(kube, 'one', about, failed, at(seconds));
    expect([...stored.values()].map(({ series }) => series)).toEqual([
      { count: 3, lastObservedTime: '2026-01-01T00:05:00.000000Z' },
    ]);
  });

  it('is another of another object of that name, and of another happening', async () => {
    await writer.write(kube, 'one', about, failed, at(0));
    await writer.write(kube, 'one', { ...about, uid: 'u2' }, failed, at(0));
    await writer.write(kube, 'one', about, { ...failed, note: 'Failed: step export: exit 2' }, at(0));
    expect(stored.size).toBe(3);
  });

  it('has a note of at most 1,024 bytes, in whole characters and without what cannot be seen', async () => {
    await writer.write(kube, 'one', about, { ...failed, note: `\u202e${'ä'.repeat(4000)}` }, at(0));
    await writer.write(kube, 'one', about, { ...failed, note: '🙂'.repeat(4000) }, at(0));
    for (const { message: note = '' } of stored.values()) {
      expect(Buffer.byteLength(note)).toBeLessThanOrEqual(1024);
      expect(note.isWellFormed()).toBe(true);
      expect(note).not.toContain('\u202e');
      expect(note.length).toBeGreaterThan(200);
    }
  });

  it('has a name that fits, whatever its object is called', async () => {
    await writer.write(kube, 'one', { ...about, name: 'n'.repeat(253) }, failed, at(0));
    expect([...stored.keys()][0]).toHaveLength(253);
  });
});

describe('Events of a busy namespace', () => {
  it('are twenty at once and then two a second, the rest is counted; others are not held up', async () => {
    for (let build = 0; build < 100; build += 1)
      await writer.write(kube, 'one', { ...about, uid: `u${build}` }, failed, at(0));
    expect(stored.size).toBe(20);
    expect(counted).toHaveLength(80);
    expect(new Set(counted)).toEqual(new Set(['KubernetesEventsDropped']));
    await writer.write(kube, 'one', { ...about, namespace: 'other', uid: 'o1' }, failed, at(0));
    await writer.write(kube, 'two', { ...about, uid: 't1' }, failed, at(0));
    expect(stored.size).toBe(22);
    await writer.write(kube, 'one', { ...about, uid: 'later' }, failed, at(1));
    expect(stored.size).toBe(23);
  });
});

describe('a namespace that lets nobody write Events', () => {
  it('is left alone for ten minutes, others are not; nothing fails for it', async () => {
    refusal = new KubeError('forbidden', 'events is forbidden: the namespace is being terminated');
    await writer.write(kube, 'one', about, failed, at(0));
    await writer.write(kube, 'one', about, failed, at(599));
    expect(calls).toEqual(['create']);
    await writer.write(kube, 'one', { ...about, namespace: 'other' }, failed, at(0));
    await writer.write(kube, 'two', about, failed, at(0));
    await writer.write(kube, 'one', about, failed, at(600));
    expect(calls).toHaveLength(4);
    expect(warned).toHaveLength(4);
  });

  it('that does not answer is waited for two seconds, and written to all the same', async () => {
    const answer = Promise.withResolvers<unknown>();
    const slow = { ...kube, create: () => answer.promise } as unknown as KubeClient;
    const started = performance.now();
    await writer.write(slow, 'one', about, failed, at(0));
    expect(performance.now() - started).toBeLessThan(4000);
    expect(performance.now() - started).toBeGreaterThan(1900);
    answer.reject(new KubeError('unreachable', 'it broke later'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(warned).toHaveLength(1);
  });

  it('is asked again at once when it merely failed', async () => {
    refusal = new KubeError('unreachable', 'cannot reach the API server');
    await writer.write(kube, 'one', about, failed, at(0));
    refusal = undefined;
    await writer.write(kube, 'one', about, failed, at(1));
    expect(stored.size).toBe(1);
  });
});
