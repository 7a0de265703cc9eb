/** Git credentials mounted into the build pod: which Secret speaks for which host (spec 03 §16.5). */
import { join } from 'node:path';
import { PermanentError } from '../../errors/expected.ts';
import {
  type BasicCredential,
  basicCredentialFrom,
  type SshCredential,
  sshCredentialFrom,
} from '../../git/credentials.ts';
import { pairIn } from '../flags.ts';
import { mountedSecret } from '../mounted-secret.ts';

/** The annotation of a credential's Secret, which names the host. */
interface Annotated {
  readonly annotation: string;
}

type CredentialFrom<T> = (secretName: string, bytes: (key: string) => Uint8Array) => T;

export interface GitSecrets {
  /** By secret name: the first that matches a host counts. */
  readonly basic: readonly (Annotated & BasicCredential)[];
  readonly ssh: readonly (Annotated & SshCredential)[];
}

export interface GitSecretFlags {
  /** `secret=annotation`. */
  readonly basic: readonly string[];
  readonly ssh: readonly string[];
}

/** Reads the Secrets that the flags name. @throws PermanentError for a malformed flag. @throws SecretError for what cannot be used */
export async function readGitSecrets({ basic, ssh }: GitSecretFlags, secretsDir: string): Promise<GitSecrets> {
  const read = async <T>(flags: readonly string[], from: CredentialFrom<T>): Promise<(T & Annotated)[]> =>
    Promise.all(
      sorted(flags).map(async ([secret, annotation]) => ({
        ...from(secret, await mountedSecret(join(secretsDir, secret))),
        annotation,
      })),
    );
  return { basic: await read(basic, basicCredentialFrom), ssh: await read(ssh, sshCredentialFrom) };
}

function sorted(flags: readonly string[]): readonly (readonly [secret: string, annotation: string])[] {
  return flags
    .map((flag) => {
      const pair = pairIn(flag);
      // Exactly one equals sign, as in kpack: no host has one.
      if (pair === undefined || pair[1].includes('='))
        throw new PermanentError('', `could not parse git secret argument ${flag}`);
      return pair;
    })
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

/** Host (with port, as written) that an annotation names: `host`, `https://host`, `http://host` or `git@host`. */
export function annotatedHost(annotation: string): string | undefined {
  const host = annotation.replace(/^(?:https?:\/\/|git@)/, '');
  return /^[A-Za-z0-9_.:[\]-]+$/.test(host) ? host : undefined;
}
