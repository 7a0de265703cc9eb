/** Last step of a pod: signs what was pushed and says what it is (spec 03 §14). */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { metadataFromImage } from '../../builds/metadata-from-image.ts';
import { ExpectedError, PermanentError } from '../../errors/expected.ts';
import { networkCause } from '../../errors/network-cause.ts';
import { openRegistry } from '../../oci/client.ts';
import { readImage } from '../../oci/image.ts';
import { firstOf } from '../../oci/keychain.ts';
import { parseReference, printReference, withDigest } from '../../oci/reference.ts';
import type { Registry } from '../../oci/registry.ts';
import { credentialsFromFlags, keychainOf } from '../docker-credentials.ts';
import { nodeKeychain } from '../node-keychain.ts';
import type { StepProcess } from '../step.ts';
import { completionOptions } from './options.ts';
import { readReport } from './report.ts';
import { signBuild, signingSecrets } from './sign.ts';
import { terminationMessage } from './termination-message.ts';

/** Where the pod mounts things (spec 03 §5). */
export interface CompletionPaths {
  readonly report: string;
  readonly secretsDir: string;
  readonly keysDir: string;
}

const podPaths: CompletionPaths = {
  report: '/var/report/report.toml',
  secretsDir: '/var/build-secrets',
  keysDir: '/var/build-secrets/cosign',
};

/** @throws UsageError, PermanentError, ExpectedError: one sentence for the log each. */
export async function complete(step: StepProcess, paths: CompletionPaths = podPaths): Promise<void> {
  const { env, log, signal } = step;
  const options = completionOptions(step);
  if (options.notaryUrl !== '') {
    throw new PermanentError(
      'NotaryUnsupported',
      'signing with notary v1 is not supported: remove spec.notary and use a cosign key in a Secret of the ServiceAccount',
    );
  }
  const { tags, digest } = await readReport(paths.report);
  const credentials = await credentialsFromFlags(options.dockerSecrets, paths.secretsDir, log);
  const registry = openRegistry({ keychain: firstOf(await nodeKeychain(env), keychainOf(credentials)) });
  // The report is the exporter's, which is anybody's: it may say which image of the Build's repository, and not of which other.
  const image = withDigest(parseReference(options.imageTag === '' ? tags[0] : options.imageTag), digest);

  const secrets = await signingSecrets(paths.keysDir);
  if (secrets.length > 0) await signBuild(registry, secrets, { image, keysDir: paths.keysDir, options, log, signal });

  const message = terminationMessage(
    metadataFromImage(await labelsOf(registry, printReference(image), signal), {
      latestImage: printReference(image),
      latestCacheImage: await cacheImage(registry, options.cacheTag, signal),
    }),
  );
  await mkdir(dirname(options.terminationMessagePath), { recursive: true });
  await writeFile(options.terminationMessagePath, message);
  log('Build successful');
}

/** kpack fails here too: the result cannot be told without the labels (spec 03 §14). */
async function labelsOf(
  registry: Registry,
  image: string,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  try {
    return (await readImage(registry, parseReference(image), { signal })).labels;
  } catch (error) {
    throw new ExpectedError(`unable to fetch app image: ${networkCause(error)}`, {
      cause: error,
    });
  }
}

/** Empty when there is none or it cannot be read: a failed cache is no failed build. */
async function cacheImage(registry: Registry, tag: string, signal: AbortSignal): Promise<string> {
  if (tag === '') return '';
  try {
    const reference = parseReference(tag);
    const head = await registry.headManifest(reference, { signal });
    return head === undefined ? '' : printReference(withDigest(reference, head.digest));
  } catch {
    return '';
  }
}
