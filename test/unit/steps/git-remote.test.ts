/** What git is told to fetch from over ssh, read by git itself: path and user are those that the URL has. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { parseGitUrl } from '../../../lib/git/url.ts';
import { remoteOf } from '../../../lib/steps/prepare/git-place.ts';

/** User, host and port (`me@h:22`), and path, as git understands a URL. */
const asGit = (url: string): { readonly place: string; readonly path: string } => {
  const { stdout } = spawnSync('git', ['fetch-pack', '--diag-url', url], { encoding: 'utf8' });
  const of = (name: string): string => new RegExp(`^Diag: ${name}=(.*)$`, 'mu').exec(stdout)?.[1] ?? '';
  const port = of('port');
  return { place: `${of('userandhost')}${port === '' || port === 'NONE' ? '' : `:${port}`}`, path: of('path') };
};

describe('a remote over ssh', () => {
  it.each([
    'ssh://me@h:2222/team/app.git',
    'ssh://me@h:22/~you/app',
    'ssh://me@h:22/~/app',
    'ssh://me@[::1]:22/app',
    'ssh://me@corp@h:22/app',
    'ssh://me@h:22/a%20b',
    'ssh://me@h:22/a%2541',
    'ssh://me@h:22/~you/100%25',
    'ssh://me@h:22//app',
    'me@h:app.git',
    'me@h:v3/o/p%20q/r',
    'me@[::1]:app',
    'me@h:22/app',
    'me@corp.example@h:app',
  ])('is what git makes of %s', (url) => {
    expect(asGit(remoteOf(parseGitUrl(url)))).toEqual(asGit(url));
  });

  it.each(['me@h:/a%20b', 'me@h:/100%', 'me@h:~you/a%20b'])('has the path that git makes of %s', (url) => {
    const { path } = asGit(url);
    expect(parseGitUrl(url).path).toBe(path);
    expect(asGit(remoteOf(parseGitUrl(url)))).toEqual({ place: 'me@h:22', path });
  });
});
