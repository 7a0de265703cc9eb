/** While a new version is deployed, messages of the one before and of the one after are in the queues: none of them is lost. */
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterEach, describe, expect, it } from 'vitest';
import { parseEnvelope } from '../../../lib/queue/envelope.ts';
import { parseMessage } from '../../../lib/queue/message.ts';
import { sqsDeadLetters } from '../../../lib/queue/sqs-dead-letters.ts';
import { Redrives } from '../../../lib/state/redrives.ts';
import { redriveDeadLetters } from '../../../lib/sweeper/redrive.ts';
import { type Story, story } from '../../support/story.ts';
import { applyBuilder, applyImage, builds, storyReconciler } from '../../support/story-image.ts';

/**
 * What version 0.1.0 writes, byte for byte. These texts stay when the code changes: a function must read what lay in its queue when it was deployed. A
 * later release that writes something else adds its own beside them.
 */
const written = [
  '{"v":1,"cluster":"one","epoch":"e.0","target":{"kind":"Image","namespace":"team","name":"app"},"cause":{"kind":"Image","namespace":"team","name":"app","uid":"u","resourceVersion":"7"},"reason":"self"}',
  '{"v":1,"cluster":"one","epoch":"e.0","target":{"kind":"Image","namespace":"team","name":"app"},"cause":{"kind":"ClusterBuilder","namespace":"","name":"base","uid":"u","resourceVersion":"7"},"reason":"dependency","bulk":true}',
  '{"v":1,"cluster":"one","epoch":"","target":{"kind":"Image","namespace":"team","name":"app"},"cause":{"kind":"Image","namespace":"team","name":"app","uid":"","resourceVersion":""},"reason":"due","occasion":"due@1795251600"}',
] as const;
/** The same from a release that says more than this one knows, without changing what this one relies on. */
const more = written.map((body) => body.replace('"reason"', '"trace":{"id":"1"},"weight":3,"reason"'));
/** From one whose messages this one must not guess at. */
const later = '{"v":2,"cluster":"one","what":"nobody here knows"}';

let told: Story | undefined;
afterEach(async () => {
  await told?.[Symbol.asyncDispose]();
  told = undefined;
});

const begin = async (): Promise<Story> => {
  told = await story({ reconciler: storyReconciler(), queue: 'image' });
  applyBuilder(told.kube, 'base', 'v1');
  return told;
};

const put = (world: Story, body: string, id: string) =>
  world.queues.send(
    new SendMessageCommand({
      QueueUrl: world.queueUrl('image'),
      MessageBody: body,
      MessageGroupId: id,
      MessageDeduplicationId: id,
    }),
  );

/** So many minutes of a function that is this one. */
const minutes = async (world: Story, count: number): Promise<void> => {
  for (let step = 0; step < count * 6; step += 1) {
    world.later(10);
    await world.deliver();
  }
};

describe('a message of the version before', () => {
  it.each([...written, ...more])('is read: %s', (body) => {
    expect(parseMessage(body)).toMatchObject({ message: { v: 1, target: { kind: 'Image', name: 'app' } } });
    const envelope = parseEnvelope(`{"to":"image","message":${body}}`);
    expect(envelope).toMatchObject({ to: 'image', message: { v: 1 } });
  });

  it('wakes its object', async () => {
    const world = await begin();
    applyImage(world.kube, 'app', { builder: 'base' });
    await put(world, written[0], 'before');
    await minutes(world, 1);
    expect(builds(world.kube)).toStrictEqual(['app-v1']);
    expect(world.held('image')).toBe(0);
  });
});

describe('a message of a later version', () => {
  it('waits while it is deployed, and keeps nobody else waiting', async () => {
    const world = await begin();
    await put(world, later, 'after');
    await world.tell(applyImage(world.kube, 'app', { builder: 'base' }));
    await minutes(world, 5);
    expect([world.held('image'), world.held('image-dlq')]).toStrictEqual([1, 0]);
    expect(builds(world.kube)).toStrictEqual(['app-v1']);
  });

  it('is there to be read when a deployment takes an hour: its function brings it back from the dead letters', async () => {
    const world = await begin();
    await put(world, later, 'after');
    await minutes(world, 60);
    expect([world.held('image'), world.held('image-dlq')]).toStrictEqual([0, 1]);
    await redriveDeadLetters(
      {
        deadLetters: sqsDeadLetters(world.queues, world.queueUrl),
        redrives: new Redrives(world.table),
        log: () => undefined,
      },
      ['image'],
      Math.floor(world.now().getTime() / 1000),
    );
    world.later(5);
    const [record] = await world.receive('image', 10);
    expect(record?.body).toBe(later);
  });
});
