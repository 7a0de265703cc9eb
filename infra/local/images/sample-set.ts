import { sampleBuildpackage } from './buildpackage.ts';
import { lifecycleImage } from './lifecycle.ts';
import { pushImage } from './push.ts';
import { buildImage, runImage } from './stack.ts';

/** References by tag, as specs name them: `10.88.255.2:5000/run:1`. */
export interface SampleImages {
  readonly build: string;
  readonly run: string;
  readonly buildpack: string;
  readonly lifecycle: string;
}

/** The programs that the lifecycle's image holds. */
export interface SampleBinaries {
  readonly lifecycle: string;
  readonly launcher: string;
}

/** Makes and pushes what a first Image needs: a stack, a buildpack and the lifecycle. Pushing it again changes nothing. */
export const pushSampleImages = async (registry: string, binaries: SampleBinaries): Promise<SampleImages> => {
  const images = {
    build: await buildImage({ name: 'build:1' }),
    run: await runImage({ name: 'run:1' }),
    buildpack: await sampleBuildpackage({ name: 'sample/buildpack:1.0.0', version: '1.0.0' }),
    lifecycle: await lifecycleImage({ name: 'lifecycle:0.21.0', binaries }),
  };
  for (const image of Object.values(images)) await pushImage(registry, image);
  const reference = (key: keyof typeof images): string => `${registry}/${images[key].name}`;
  return {
    build: reference('build'),
    run: reference('run'),
    buildpack: reference('buildpack'),
    lifecycle: reference('lifecycle'),
  };
};
