import { describe, expect, it } from 'vitest';
import type { BuildSecret } from '../../../../lib/builds/pod/context.ts';
import { credentialSecrets, isBuildSecret, isRegistrySecret } from '../../../../lib/builds/pod/secrets.ts';

const secret = (type: string, annotations: Readonly<Record<string, string>>): BuildSecret => ({
  name: 's',
  type: `kubernetes.io/${type}`,
  annotations,
  signsImages: false,
});
const argsFor = (...secrets: readonly BuildSecret[]): readonly string[] =>
  credentialSecrets(secrets, isBuildSecret(undefined)).args;

describe('a Secret of the account in the build pod', () => {
  it('that is a login for a registry and for a git host is given for both, mounted once', () => {
    const both = secret('basic-auth', { 'kpack.io/docker': 'ghcr.io', 'kpack.io/git': 'https://github.com' });
    const mounted = credentialSecrets([both], isBuildSecret(undefined));
    expect(mounted.args).toEqual(['-basic-docker=s=ghcr.io', '-basic-git=s=https://github.com']);
    expect([mounted.volumes.length, mounted.mounts.length]).toEqual([1, 1]);
    expect(credentialSecrets([both], isRegistrySecret).args).toEqual(['-basic-docker=s=ghcr.io']);
  });

  it('02#214 whose annotation can name no git host is not given for one, so that it harms no Build', () => {
    expect(argsFor(secret('basic-auth', { 'kpack.io/git': 'https://h/?a=b' }))).toEqual([]);
    expect(argsFor(secret('ssh-auth', { 'kpack.io/git': 'h=h' }))).toEqual([]);
    const login = secret('basic-auth', { 'kpack.io/git': 'a=b', 'kpack.io/docker': 'ghcr.io' });
    expect(argsFor(login)).toEqual(['-basic-docker=s=ghcr.io']);
  });
});
