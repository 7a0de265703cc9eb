/**
 * `npm run images -- REGISTRY/PATH`: builds the images of the build steps and of the relay, for amd64 and arm64, and pushes them as
 * PATH/steps:latest and PATH/relay:latest, with the credentials of the Docker configuration or, for ECR, the AWS identity. Prints both by digest.
 */
import { PermanentError } from '../lib/errors/expected.ts';
import { nodeKeychain } from '../lib/steps/node-keychain.ts';
import { pushPlatforms } from './local/images/push-step-image.ts';
import { buildRelayImage } from './relay-image/build.ts';
import { type Architecture, architectures } from './step-image/architecture.ts';
import { buildStepImage, type StepImage } from './step-image/build.ts';

/** Pushes both, for each processor; gives the references by digest. */
export const pushImages = async (
  path: string,
  report: (line: string) => void,
  wanted: readonly Architecture[] = architectures,
): Promise<{ readonly steps: string; readonly relay: string }> => {
  const keychain = await nodeKeychain(process.env);
  const steps: StepImage[] = [];
  const relays: StepImage[] = [];
  for (const architecture of wanted) {
    steps.push(await buildStepImage({ architecture, report }));
    relays.push(await buildRelayImage({ architecture, report }));
  }
  return {
    steps: await pushPlatforms(`${path}/steps:latest`, steps, keychain),
    relay: await pushPlatforms(`${path}/relay:latest`, relays, keychain),
  };
};

if (import.meta.main) {
  const [, , path] = process.argv;
  try {
    if (path === undefined)
      throw new PermanentError(
        'Usage',
        'say where to: npm run images -- 123456789012.dkr.ecr.eu-west-1.amazonaws.com/kpackless',
      );
    const { steps, relay } = await pushImages(path, (line) => process.stderr.write(`${line}\n`));
    process.stdout.write(`steps  ${steps}\nrelay  ${relay}\n`);
  } catch (error) {
    process.stderr.write(`npm run images: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
