import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PermanentError } from '../../../lib/errors/expected.ts';
import { type GitUrl, normalGitUrl, parseGitUrl } from '../../../lib/git/url.ts';

describe('a git URL', () => {
  it.each<[string, Partial<GitUrl>]>([
    [
      'https://github.com/o/r.git',
      { scheme: 'https', authority: 'github.com', host: 'github.com', port: 443, path: '/o/r.git' },
    ],
    ['http://127.0.0.1:8085/repo.git', { scheme: 'http', authority: '127.0.0.1:8085', host: '127.0.0.1', port: 8085 }],
    ['https://GitHub.com/o/r', { authority: 'GitHub.com', host: 'github.com' }],
    ['https://h:443/r', { authority: 'h:443', port: 443 }],
    ['https://h/r?x=1#f', { path: '/r', query: '?x=1' }],
    ['https://h', { path: '/' }],
    ['https://[::1]:8443/r', { authority: '[::1]:8443', host: '::1', port: 8443 }],
    [
      'https://me:p%40ss@h/r',
      { authority: 'h', embedded: { username: 'me', password: 'p@ss' }, display: 'https://h/r' },
    ],
    ['https://token@h/r', { embedded: { username: 'token', password: '' } }],
    ['git@github.com:o/r.git', { scheme: 'ssh', authority: 'github.com', port: 22, path: 'o/r.git' }],
    ['gitlab.com:o/r', { scheme: 'ssh', authority: 'gitlab.com', path: 'o/r' }],
    ['git@h:/abs/r', { path: '/abs/r' }],
    ['git@[::1]:r', { host: '::1', authority: '[::1]' }],
    ['ssh://git@h:2222/o/r', { scheme: 'ssh', authority: 'h:2222', host: 'h', port: 2222, path: '/o/r' }],
    ['ssh://h/~me/r', { path: '~me/r' }],
    ['ssh://h/it%27s', { path: "/it's" }],
  ])('%s is read', (text, expected) => {
    expect(parseGitUrl(text)).toMatchObject(expected);
  });

  it.each([
    ['a local path', '/srv/r.git'],
    ['a relative path', './r.git'],
    ['a relative path with a colon', './a:b'],
    ['a file URL', 'file:///srv/r.git'],
    ['the unprotected git protocol', 'git://h/r'],
    ['a remote helper', 'ext::sh -c id'],
    ['a remote helper without spaces', 'ext::sh'],
    ['an option', '--upload-pack=id'],
    ['a host that looks like an option', 'ssh://-oProxyCommand=id/r'],
    ['a user and host that look like an option', 'git@-oProxyCommand=id:r'],
    ['an ssh path that looks like an option', 'git@h:-u'],
    ['a newline', 'https://h/r\nHost: x'],
    ['an escaped newline for ssh', 'ssh://h/r%0a'],
    ['a broken escape', 'ssh://h/%zz'],
    ['no host', 'https:///r'],
    ['no repository', 'ssh://h/'],
    ['no path at all', 'ssh://h'],
    ['a port out of range', 'https://h:99999/r'],
    ['nothing', ''],
    ['something endless', `https://h/${'a'.repeat(5000)}`],
  ])('%s is refused for good', (_, text) => {
    expect(() => parseGitUrl(text)).toThrow(PermanentError);
  });

  it('never shows the credentials in it', () => {
    const shown = [parseGitUrl('https://me:hunter2@h/r').display, normalGitUrl(parseGitUrl('https://me:hunter2@h/r'))];
    for (const text of [
      'ftp://me:hunter2@h/r',
      'https://me:hunter2@h:99999/r',
      'https://me:hunter2@/r',
      'me:hunter2@h/x y',
    ]) {
      try {
        parseGitUrl(text);
      } catch (error) {
        shown.push(String(error));
      }
    }
    expect(shown).toHaveLength(6);
    expect(shown.join('\n')).not.toContain('hunter2');
  });

  it('is either read, with a host and path that are no options, or refused for good', () => {
    const parts = fc.constantFrom(
      'https://',
      'ssh://',
      'git@',
      'h',
      ':',
      '/',
      '@',
      '[',
      ']',
      '-',
      '%',
      '~',
      '22',
      '?',
      '#',
      '\0',
      ' ',
    );
    const isSafe = (text: string): boolean => {
      try {
        const { host, path } = parseGitUrl(text);
        return !/^-|[\s/@]/.test(host) && !path.startsWith('-');
      } catch (error) {
        return error instanceof PermanentError;
      }
    };
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(parts).map((words) => words.join('')),
        ),
        isSafe,
      ),
    );
    expect(isSafe('git@h:r')).toBe(true);
  });

  it.each([
    ['https://GitHub.com:443/o/r', 'https://github.com/o/r'],
    ['ssh://git@h:22/o/r', 'ssh://h/o/r'],
    ['https://[::1]/r', 'https://[::1]/r'],
    ['https://h:8443/r?x=1', 'https://h:8443/r?x=1'],
  ])('%s has one normal spelling', (text, expected) => {
    expect(normalGitUrl(parseGitUrl(text))).toBe(expected);
  });

  it('keeps a path below the home apart from one below the root', () => {
    expect(normalGitUrl(parseGitUrl('git@h:o/r'))).not.toBe(normalGitUrl(parseGitUrl('ssh://git@h/o/r')));
  });
});
