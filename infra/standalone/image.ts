/** The image of standalone mode: what infra/standalone/deployment.yaml runs. */
import { join } from 'node:path';
import { buildProgramImage } from '../program-image.ts';
import type { BuildStepImageOptions, StepImage } from '../step-image/build.ts';
import { standaloneNode } from './node.ts';

/** In a container its probes come from outside. The same sources give the same bytes. @throws PermanentError as buildStepImage does */
export const buildStandaloneImage = (options: BuildStepImageOptions = {}): Promise<StepImage> =>
  buildProgramImage(
    {
      name: 'standalone',
      entry: join('infra', 'standalone', 'main.ts'),
      node: standaloneNode,
      environment: { KPACKLESS_LISTEN: '0.0.0.0' },
    },
    options,
  );
