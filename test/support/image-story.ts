/** How stories of an Image begin: a world with a builder, an Image that was reconciled once, a wake-up for it. */
import { expect } from 'vitest';
import type { Message } from '../../lib/queue/message.ts';
import { type Story, story } from './story.ts';
import { applyBuilder, applyImage, type Interference, storyReconciler } from './story-image.ts';

/** A world with Builder `base`; what happens `meanwhile` interferes with its passes. Dispose of it. */
export const imageStory = async (meanwhile: Interference = {}, lagMilliseconds?: number): Promise<Story> => {
  const told = await story({
    reconciler: storyReconciler(meanwhile),
    queue: 'image',
    ...(lagMilliseconds === undefined ? {} : { lagMilliseconds }),
  });
  applyBuilder(told.kube, 'base', 'v1');
  return told;
};

/** Image `app`, reconciled once; counts begin anew. */
export const settledImage = async (world: Story): Promise<void> => {
  await world.tell(applyImage(world.kube, 'app', { builder: 'base' }));
  expect(await world.deliver()).toStrictEqual(['settled']);
  world.kube.forget();
};

/** A message for Image `app` that no event caused, unless `rest` says otherwise. */
export const wakeUp = (reason: Message['reason'], rest: Partial<Message> = {}): Message => {
  const target = { kind: 'Image', namespace: 'team', name: 'app' };
  return {
    v: 1,
    cluster: 'one',
    epoch: 'e.0',
    target,
    cause: { ...target, uid: '', resourceVersion: '' },
    reason,
    ...rest,
  };
};
