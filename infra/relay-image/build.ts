/** The image of the relay. */
import { join } from 'node:path';
import { buildProgramImage, type NodeStart } from '../program-image.ts';
import type { BuildStepImageOptions, StepImage } from '../step-image/build.ts';

/**
 * What keeps it small (`npm run bench -- --only relay`): a young generation of 1 MiB, since what an event leaves behind is garbage at once;
 * a heap that grows reluctantly; one arena for all threads. Without them Node takes half as much again. The limit of the heap is far
 * above what is needed and below the Deployment's.
 */
export const relayNode: NodeStart = {
  flags: ['--max-old-space-size=64', '--max-semi-space-size=1', '--optimize-for-size'],
  environment: { MALLOC_ARENA_MAX: '1' },
};

/** The same sources give the same bytes. @throws PermanentError as buildStepImage does */
export const buildRelayImage = (options: BuildStepImageOptions = {}): Promise<StepImage> =>
  buildProgramImage({ name: 'relay', entry: join('functions', 'relay', 'main.ts'), node: relayNode }, options);
