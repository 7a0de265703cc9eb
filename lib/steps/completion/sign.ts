/** Signs the built image with every cosign key of the Build's ServiceAccount (spec 03 §17.1). */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PermanentError } from '../../errors/expected.ts';
import { networkCause } from '../../errors/network-cause.ts';
import { type DigestReference, parseRepository } from '../../oci/reference.ts';
import type { Registry } from '../../oci/registry.ts';
import { openCosignKey } from '../../signing/cosign-key.ts';
import { signImage } from '../../signing/sign-image.ts';
import { isSystemError } from '../step.ts';
import type { CompletionOptions } from './options.ts';

export interface SignBuild {
  readonly image: DigestReference;
  /** Folder with a folder per Secret that has a `cosign.key`. */
  readonly keysDir: string;
  readonly options: CompletionOptions;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Secrets with a key, by name. A Secret that is itself called `cosign` is mounted at this place and is no folder of keys. */
export async function signingSecrets(keysDir: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(keysDir, { withFileTypes: true });
    const names = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('..'));
    return names.map(({ name }) => name).sort();
  } catch (error) {
    if (isSystemError(error, 'ENOENT') || isSystemError(error, 'ENOTDIR')) return [];
    throw error;
  }
}

/** One key after the other; the first failure stops. @throws PermanentError, OciError told as `cosign sign: unable to sign image with …` */
export async function signBuild(registry: Registry, secrets: readonly string[], request: SignBuild): Promise<void> {
  const { image, keysDir, options, log, signal } = request;
  for (const secret of secrets) {
    const file = join(keysDir, secret, 'cosign.key');
    try {
      const password = await readFile(join(keysDir, secret, 'cosign.password'), 'utf8').catch(() => '');
      const key = await openCosignKey(await readFile(file, 'utf8'), password);
      const repository = options.cosignRepositories.get(secret);
      const digest = await signImage(registry, {
        image,
        key,
        annotations: options.cosignAnnotations,
        repository: repository === undefined || repository === '' ? undefined : parseRepository(repository),
        dockerMediaTypes: /^(?:1|t|true)$/i.test(options.cosignDockerMediaTypes.get(secret) ?? ''),
        signal,
      });
      log(`Signed with the key of secret "${secret}": ${digest}`);
    } catch (error) {
      throw new PermanentError('', `cosign sign: unable to sign image with ${file}: ${networkCause(error)}`, {
        cause: error,
      });
    }
  }
}
