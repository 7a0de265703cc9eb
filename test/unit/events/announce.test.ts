/** Who hears of a transition, and what programs outside are told. */
import type { PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { describe, expect, it } from 'vitest';
import { countEnded, stepSeconds } from '../../../lib/builds/count-ended.ts';
import { announcer } from '../../../lib/events/announce.ts';
import type { Announcement } from '../../../lib/events/announcement.ts';
import { type CloudEvent, cloudEvent } from '../../../lib/events/cloud-event.ts';
import { eventBridgeBus } from '../../../lib/events/event-bridge.ts';
import type { About } from '../../../lib/events/kubernetes-event.ts';
import type { Transition } from '../../../lib/events/transition.ts';
import type { KubeClient } from '../../../lib/kube/client.ts';

const owner = { apiVersion: 'kpack.io/v1alpha2', kind: 'Image', name: 'app', uid: 'i1', controller: true };
const build = {
  apiVersion: 'kpack.io/v1alpha2',
  kind: 'Build',
  metadata: {
    namespace: 'team',
    name: 'app-build-3',
    uid: 'b3',
    labels: { 'image.kpack.io/image': 'app', 'image.kpack.io/buildNumber': '3' },
    annotations: { 'image.kpack.io/reason': 'COMMIT,STACK' },
    ownerReferences: [owner],
  },
  spec: { tags: ['r/app', 'r/app:b3'] },
  status: {
    latestImage: 'r/app@sha256:1',
    conditions: [{ type: 'Succeeded', status: 'True' as const, reason: 'Completed' }],
    stepStates: [
      { terminated: { exitCode: 0, startedAt: '2026-01-01T00:00:00Z', finishedAt: '2026-01-01T00:00:02Z' } },
      { terminated: { exitCode: 0, startedAt: '2026-01-01T00:00:02Z', finishedAt: '2026-01-01T00:00:42Z' } },
    ],
    stepsCompleted: ['prepare', 'build'],
  },
};
const transition: Transition = { reason: 'Succeeded', type: 'Normal', note: 'r/app@sha256:1' };
const announcement: Announcement = {
  cluster: 'prod',
  kube: {} as KubeClient,
  object: build,
  transition,
  now: new Date('2026-01-02T03:04:05Z'),
};

const silent = { warn: () => undefined };

describe('what happens to a Build', () => {
  it('is told of it and of its Image and put on the bus, and counted when its status is written', async () => {
    const told: string[] = [];
    const put: CloudEvent[] = [];
    const announces = announcer({
      ...silent,
      writer: {
        write: async (_kube, cluster: string, { kind, name, uid }: About, { note }: Transition) =>
          void told.push(`${cluster} ${kind} ${name} ${uid}: ${note}`),
      },
      bus: { put: async (event) => void put.push(event) },
      count: ({ cluster }) => void told.push(`counted of ${cluster}`),
    });
    await announces.tell(announcement);
    announces.happened(announcement);
    expect(told).toEqual([
      'prod Build app-build-3 b3: r/app@sha256:1',
      'prod Image app i1: app-build-3: r/app@sha256:1',
      'counted of prod',
    ]);
    expect(put.map(({ type }) => type)).toEqual(['io.kpackless.build.succeeded']);
  });

  it('is nobody’s affair where nobody listens', async () => {
    await expect(announcer(silent).tell(announcement)).resolves.toBeUndefined();
  });

  it('fails nobody, whatever becomes of who tells it', async () => {
    const warned: unknown[] = [];
    const broken = new Error('no such module');
    const announces = announcer({
      bus: { put: () => Promise.reject(broken) },
      warn: (_what, why) => void warned.push(why),
    });
    await expect(announces.tell(announcement)).resolves.toBeUndefined();
    expect(warned).toEqual([broken]);
  });

  it('of an Image goes to no bus', async () => {
    const put: CloudEvent[] = [];
    const object = { ...build, kind: 'Image', metadata: { ...build.metadata, name: 'app', ownerReferences: [] } };
    await announcer({ ...silent, bus: { put: async (event) => void put.push(event) } }).tell({
      ...announcement,
      object,
    });
    expect(put).toEqual([]);
  });
});

describe('a CloudEvent', () => {
  it('says what happened to which Build, and has the same id when it is told again', () => {
    const event = cloudEvent(announcement);
    expect(event).toEqual({
      specversion: '1.0',
      id: expect.stringMatching(/^[0-9a-f]{32}$/) as unknown,
      source: '/clusters/prod',
      type: 'io.kpackless.build.succeeded',
      subject: 'namespaces/team/builds/app-build-3',
      time: '2026-01-02T03:04:05.000Z',
      datacontenttype: 'application/json',
      data: {
        cluster: 'prod',
        namespace: 'team',
        build: 'app-build-3',
        uid: 'b3',
        image: 'app',
        number: '3',
        reasons: ['COMMIT', 'STACK'],
        tag: 'r/app',
        latestImage: 'r/app@sha256:1',
        conditionReason: 'Completed',
        message: '',
      },
    });
    expect(cloudEvent({ ...announcement, now: new Date() }).id).toBe(event.id);
    expect(cloudEvent({ ...announcement, cluster: 'test' }).id).not.toBe(event.id);
  });

  it('goes to EventBridge as the detail of an entry that rules can match', async () => {
    const sent: unknown[] = [];
    const warned: string[] = [];
    const client = {
      send: async (command: unknown) => (
        sent.push((command as PutEventsCommand).input), { Entries: [{ EventId: '1' }] }
      ),
    };
    await eventBridgeBus(client as never, 'arn:bus', (why) => void warned.push(why)).put(cloudEvent(announcement));
    expect(sent).toMatchObject([
      { Entries: [{ EventBusName: 'arn:bus', Source: 'kpackless', DetailType: 'Build Succeeded' }] },
    ]);
    const [{ Entries }] = sent as [{ Entries: [{ Detail: string }] }];
    expect(JSON.parse(Entries[0].Detail)).toEqual(cloudEvent(announcement));
    expect(warned).toEqual([]);
  });

  it.each([
    [
      'refuses it',
      async () => ({ FailedEntryCount: 1, Entries: [{ ErrorCode: 'ThrottlingException' }] }),
      'ThrottlingException',
    ],
    [
      'is away',
      async () => Promise.reject(Object.assign(new Error('x'), { code: 'ECONNREFUSED' })),
      'connection refused (ECONNREFUSED)',
    ],
  ])('is lost, and the log says so, when the bus %s: no Build fails for it', async (_, send, why) => {
    const warned: string[] = [];
    await eventBridgeBus({ send } as never, 'arn:bus', (one) => void warned.push(one)).put(cloudEvent(announcement));
    expect(warned).toEqual([`${why}: namespaces/team/builds/app-build-3 io.kpackless.build.succeeded`]);
  });
});

describe('a Build that ended', () => {
  const countOf = (changed: object): readonly string[] => {
    const counted: string[] = [];
    const add = (name: string, labels: object, value = 1): void =>
      void counted.push(`${name} ${Object.values(labels).join(' ')} ${value}`);
    countEnded({ ...build, ...changed } as never, { add });
    return counted;
  };

  it('05#8 is counted by reasons and result, with the seconds of its steps', () => {
    expect(countOf({})).toEqual([
      'Builds COMMIT,STACK Completed 1',
      'BuildStepSeconds prepare 2',
      'BuildStepSeconds build 40',
    ]);
  });

  it('is counted as a failure too where it failed; what Kubernetes or a tenant made up is other', () => {
    const status = { conditions: [{ type: 'Succeeded', status: 'False', reason: 'MadeUp' }] };
    const metadata = { ...build.metadata, annotations: { 'image.kpack.io/reason': 'WHATEVER' } };
    expect(countOf({ status, metadata })).toEqual(['Builds other other 1', 'BuildFailures other 1']);
  });

  it('that has not ended is not counted', () => {
    expect(countOf({ status: { conditions: [{ type: 'Succeeded', status: 'Unknown' }] } })).toEqual([]);
  });

  it('has no seconds of steps whose times make no sense', () => {
    expect([
      ...stepSeconds({ stepStates: [{ terminated: { exitCode: 0 } }], stepsCompleted: ['prepare', 'more'] }),
    ]).toEqual([]);
  });
});
