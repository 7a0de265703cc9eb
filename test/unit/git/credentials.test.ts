import type { Secret } from 'kubernetes-types/core/v1.d.ts';
import { describe, expect, it } from 'vitest';
import { credentialFrom, matchingSecret } from '../../../lib/git/credentials.ts';
import { GitError } from '../../../lib/git/errors.ts';
import { parseGitUrl } from '../../../lib/git/url.ts';

const encoded = (data: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]));

const secret = (
  name: string,
  annotation: string,
  type: string,
  data: Readonly<Record<string, string>> = {},
): Secret => ({
  metadata: { name, annotations: { 'kpack.io/git': annotation } },
  type,
  data: encoded(data),
});
const basic = (name: string, annotation: string): Secret =>
  secret(name, annotation, 'kubernetes.io/basic-auth', { username: 'me', password: 'pässword' });
const ssh = (name: string, annotation: string): Secret =>
  secret(name, annotation, 'kubernetes.io/ssh-auth', { 'ssh-privatekey': 'PEM', known_hosts: 'h ssh-rsa AAAA' });

const chosen = (url: string, ...secrets: readonly Secret[]): string | undefined =>
  matchingSecret(secrets, parseGitUrl(url))?.metadata?.name;

describe('which Secret opens a repository', () => {
  it('02#203 the first by name of several basic-auth Secrets for one host', () => {
    const secrets = [basic('secret-7', 'https://github.com'), basic('secret-1', 'https://github.com')];
    expect(chosen('https://github.com/o/r', ...secrets)).toBe('secret-1');
  });

  it('02#204 the first by name of several ssh-auth Secrets, as user git', () => {
    const secrets = [ssh('secret-6', 'git@gitlab.com'), ssh('secret-4', 'git@gitlab.com')];
    expect(chosen('git@gitlab.com:o/r', ...secrets)).toBe('secret-4');
    expect(credentialFrom(ssh('secret-4', 'git@gitlab.com'), parseGitUrl('someone@gitlab.com:o/r'))).toEqual({
      kind: 'ssh',
      secretName: 'secret-4',
      username: 'git',
      privateKey: 'PEM',
      knownHosts: 'h ssh-rsa AAAA',
    });
  });

  it('02#205 03#120 an annotation without a scheme', () => {
    expect(chosen('https://noschemegit.com/o/r', basic('s', 'noschemegit.com'))).toBe('s');
  });

  it('02#206 an https annotation on an ssh-auth Secret', () => {
    expect(chosen('git@bitbucket.com:o/r', ssh('s', 'https://bitbucket.com'))).toBe('s');
  });

  it('02#207 a git@ annotation on a basic-auth Secret', () => {
    expect(chosen('https://github.com/o/r', basic('s', 'git@github.com'))).toBe('s');
  });

  it.each(['https://github.com/', 'https://github.com/org', 'GitHub.com', 'ssh://github.com', ''])(
    '02#208 none when the annotation is %j',
    (annotation) => {
      expect(chosen('https://github.com/o/r', basic('s', annotation))).toBeUndefined();
    },
  );

  it('02#209 the port is part of the host', () => {
    expect(chosen('ssh://git@h:2222/r', ssh('s', 'git@h'))).toBeUndefined();
    expect(chosen('ssh://git@h:2222/r', ssh('s', 'git@h:2222'))).toBe('s');
  });

  it('one of the kind the URL needs, and none without annotation or type', () => {
    expect(chosen('https://h/r', ssh('a', 'h'), basic('b', 'h'))).toBe('b');
    expect(chosen('ssh://h/r', ssh('a', 'h'), basic('b', 'h'))).toBe('a');
    expect(chosen('https://h/r', { metadata: { name: 'plain' }, type: 'kubernetes.io/basic-auth' })).toBeUndefined();
    expect(
      chosen('https://h/r', { metadata: { name: 'opaque', annotations: { 'kpack.io/git': 'h' } } }),
    ).toBeUndefined();
  });

  it('is read as UTF-8', () => {
    expect(credentialFrom(basic('s', 'h'), parseGitUrl('https://h/r'))).toEqual({
      kind: 'basic',
      secretName: 's',
      username: 'me',
      password: 'pässword',
    });
  });

  it('is said to hold no key when it holds none', () => {
    const empty = secret('s', 'h', 'kubernetes.io/ssh-auth');
    expect(() => credentialFrom(empty, parseGitUrl('ssh://h/r'))).toThrow(GitError);
    expect(() => credentialFrom(empty, parseGitUrl('ssh://h/r'))).toThrow(/Secret s has no ssh-privatekey/);
  });
});
