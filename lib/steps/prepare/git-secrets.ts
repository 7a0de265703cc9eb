/** Git credentials mounted into the build pod: which Secret speaks for which host (spec 03 §16.5). */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PermanentError } from '../../errors/expected.ts';
import type { BasicCredential, SshCredential } from '../../git/credentials.ts';
import { pairIn } from '../flags.ts';

/** A credential and the annotation of its Secret, which names the host. */
type ForHost<Credential> = Credential & { readonly annotation: string };

export interface GitSecrets {
  /** By secret name: the first that matches a host counts. */
  readonly basic: readonly ForHost<BasicCredential>[];
  readonly ssh: readonly ForHost<SshCredential>[];
}

export interface GitSecretFlags {
  /** `secret=annotation`. */
  readonly basic: readonly string[];
  readonly ssh: readonly string[];
}

/** Reads the Secrets that the flags name. @throws PermanentError for a malformed flag. */
export async function readGitSecrets({ basic, ssh }: GitSecretFlags, secretsDir: string): Promise<GitSecrets> {
  const text = (secret: string, key: string): Promise<string> => readFile(join(secretsDir, secret, key), 'utf8');
  return {
    basic: await Promise.all(
      sorted(basic).map(async ([secretName, annotation]) => ({
        kind: 'basic' as const,
        secretName,
        annotation,
        username: await text(secretName, 'username'),
        password: await text(secretName, 'password'),
      })),
    ),
    ssh: await Promise.all(
      sorted(ssh).map(async ([secretName, annotation]) => ({
        kind: 'ssh' as const,
        secretName,
        annotation,
        username: 'git',
        privateKey: await text(secretName, 'ssh-privatekey'),
        knownHosts: await text(secretName, 'known_hosts').catch(() => ''),
      })),
    ),
  };
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
