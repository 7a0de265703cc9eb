/**
 * `npm run images -- REGISTRY/PATH`: builds the images of the build steps, of the relay and of standalone mode, for amd64 and arm64, and pushes them
 * as PATH/steps:latest, PATH/relay:latest and PATH/standalone:latest, with the credentials of the Docker configuration or, for ECR, the AWS
 * identity. Prints them by digest.
 */
import { PermanentError } from '../lib/errors/expected.ts';
import { nodeKeychain } from '../lib/steps/node-keychain.ts';
import { readCommandLine } from './command-line/read.ts';
import { pushPlatforms } from './local/images/push-step-image.ts';
import { buildRelayImage } from './relay-image/build.ts';
import { buildStandaloneImage } from './standalone/image.ts';
import { type Architecture, architectures } from './step-image/architecture.ts';
import { buildStepImage, type StepImage } from './step-image/build.ts';

const builders = { steps: buildStepImage, relay: buildRelayImage, standalone: buildStandaloneImage } as const;

/** Pushes all, for each processor; gives the references by digest. */
export const pushImages = async (
  path: string,
  report: (line: string) => void,
  wanted: readonly Architecture[] = architectures,
): Promise<Readonly<Record<keyof typeof builders, string>>> => {
  const keychain = await nodeKeychain(process.env);
  const push = async (name: keyof typeof builders): Promise<string> => {
    const images: StepImage[] = [];
    for (const architecture of wanted) images.push(await builders[name]({ architecture, report }));
    return pushPlatforms(`${path}/${name}:latest`, images, keychain);
  };
  return { steps: await push('steps'), relay: await push('relay'), standalone: await push('standalone') };
};

if (import.meta.main) {
  try {
    const { positionals } = readCommandLine(
      { name: 'npm run images', options: {}, words: 1 },
      { args: process.argv.slice(2), environment: process.env },
    );
    const [path] = positionals;
    if (path === undefined)
      throw new PermanentError(
        'Usage',
        'say where to: npm run images -- 123456789012.dkr.ecr.eu-west-1.amazonaws.com/kpackless',
      );
    const pushed = await pushImages(path, (line) => process.stderr.write(`${line}\n`));
    for (const [name, reference] of Object.entries(pushed)) process.stdout.write(`${name.padEnd(12)}${reference}\n`);
  } catch (error) {
    process.stderr.write(`npm run images: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
