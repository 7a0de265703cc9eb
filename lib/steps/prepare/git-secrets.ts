/** Git credentials mounted into the build pod: which Secret speaks for which host (spec 03 §16.5). */
import { join } from 'node:path';
import { PermanentError } from '../../errors/expected.ts';
import { credentialIn, type GitCredential, type GitSecret, secretFor } from '../../git/credentials.ts';
import type { GitUrl } from '../../git/url.ts';
import type { SecretBytes } from '../../secrets/basic-secret.ts';
import { SecretError } from '../../secrets/secret-text.ts';
import { pairIn } from '../flags.ts';
import { mountedSecret } from '../mounted-secret.ts';

export interface GitSecretFlags {
  /** `secret=annotation`. */
  readonly basic: readonly string[];
  readonly ssh: readonly string[];
}

/** A Secret that is not there is told of when somebody needs it, as whatever else is wrong with one. */
async function bytesOf(folder: string): Promise<SecretBytes> {
  try {
    return await mountedSecret(folder);
  } catch (error) {
    if (!(error instanceof SecretError)) throw error;
    return () => {
      throw error;
    };
  }
}

/** The Secrets that the flags name, read but not judged: one that is broken harms only the host it is for. @throws PermanentError for a malformed flag */
export async function readGitSecrets(
  { basic, ssh }: GitSecretFlags,
  secretsDir: string,
): Promise<readonly GitSecret[]> {
  const read = (flags: readonly string[], type: string): readonly Promise<GitSecret>[] =>
    flags.map(async (flag) => {
      const [name, annotation] = pairOf(flag);
      return { name, type, annotation, bytes: await bytesOf(join(secretsDir, name)) };
    });
  return await Promise.all([...read(basic, 'kubernetes.io/basic-auth'), ...read(ssh, 'kubernetes.io/ssh-auth')]);
}

function pairOf(flag: string): readonly [secret: string, annotation: string] {
  const pair = pairIn(flag);
  // Exactly one equals sign, as in kpack: no host has one.
  if (pair === undefined || pair[1].includes('='))
    throw new PermanentError('', `could not parse git secret argument ${flag}`);
  return pair;
}

/** The credential of the Secret that counts for a URL; undefined when there is none. @throws GitError when it cannot be used */
export function credentialAmong(secrets: readonly GitSecret[], url: GitUrl): GitCredential | undefined {
  const secret = secretFor(secrets, url);
  return secret === undefined ? undefined : credentialIn(secret, url);
}

/** Host (with port, as written) that an annotation names: `host`, `https://host`, `http://host` or `git@host`. */
export function annotatedHost(annotation: string): string | undefined {
  const host = annotation.replace(/^(?:https?:\/\/|git@)/, '');
  return /^[A-Za-z0-9_.:[\]-]+$/.test(host) ? host : undefined;
}
