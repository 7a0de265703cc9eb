import { describe, expect, it } from 'vitest';
import { shownUrl } from '../../../lib/text/shown-url.ts';

describe('a URL as it is shown', () => {
  it.each([
    ['https://git.example/team/app.git', 'https://git.example/team/app.git'],
    [
      'https://git.example:8443/a%20b?scope=repository:x:pull&n=100',
      'https://git.example:8443/a%20b?scope=repository:x:pull&n=100',
    ],
    ['http://[2001:db8::1]:8080/a', 'http://[2001:db8::1]:8080/a'],
    ['https://cdn.example/@scope/pkg@1.2.tgz', 'https://cdn.example/@scope/pkg@1.2.tgz'],
    ['git@git.example:team/app.git', 'git@git.example:team/app.git'],
    ['git@[2001:db8::1]:team/app.git', 'git@[2001:db8::1]:team/app.git'],
    ['ssh://git@git.example:2222/team/app.git', 'ssh://git@git.example:2222/team/app.git'],
    ['git.example:team/app.git', 'git.example:team/app.git'],
    ['registry.example/team/app', 'registry.example/team/app'],
  ])('keeps all of %s', (url, shown) => {
    expect(shownUrl(url)).toBe(shown);
  });

  const bucket = 'https://bucket.s3.amazonaws.com/app.zip';
  it.each([
    ['a user and a password', 'https://me:hunter2@git.example/a', 'https://git.example/a'],
    ['a token as user', 'https://hunter2@git.example/a', 'https://git.example/a'],
    ['a password with an encoded @', 'https://me:hunter2%40x@git.example/a', 'https://git.example/a'],
    ['a password with an @', 'https://me:hunter2@x@git.example/a', 'https://git.example/a'],
    ['a login of IPv6', 'https://me:hunter2@[::1]:8080/a', 'https://[::1]:8080/a'],
    [
      'a signed query of S3',
      `${bucket}?X-Amz-Credential=hunter2&X-Amz-Signature=hunter2`,
      `${bucket}?X-Amz-Credential=REDACTED&X-Amz-Signature=REDACTED`,
    ],
    [
      'a shared access signature of Azure',
      'https://a.blob.core.windows.net/c/b?sv=1&sig=hunter2',
      'https://a.blob.core.windows.net/c/b?sv=REDACTED&sig=REDACTED',
    ],
    [
      'a signed query of Google',
      'https://storage.googleapis.com/b/o?X-Goog-Signature=hunter2',
      'https://storage.googleapis.com/b/o?X-Goog-Signature=REDACTED',
    ],
    ['a query that is a token', 'https://git.example/a?hunter2', 'https://git.example/a?REDACTED'],
    ['a fragment', 'https://git.example/a#hunter2', 'https://git.example/a'],
    ['an ssh login', 'ssh://me:hunter2@git.example/a', 'ssh://git.example/a'],
    ['a password of git over ssh', 'ssh://git:hunter2@git.example/a', 'ssh://git.example/a'],
    ['a token before a host of scp form', 'hunter2@git.example:team/app', 'git.example:team/app'],
    ['a login in capitals', 'HTTPS://me:hunter2@git.example/a', 'https://git.example/a'],
    ['a line break in a password', 'https://me:hun\nter2@git.example/a', 'https://git.example/a'],
    ['blanks around', '  https://me:hunter2@git.example/a\n', 'https://git.example/a'],
    ['a third slash', 'https:///me:hunter2@git.example/a', 'https://git.example/a'],
    // From here on nobody can parse it.
    ['a password with a slash', 'https://me:hunter2/x@git.example/a', 'https://git.example/a'],
    ['a password with a question mark', 'https://me:hunter2?x@git.example/a', 'https://git.example/a'],
    ['a password with a hash', 'https://me:hunter2#x@git.example/a', 'https://git.example/a'],
    ['an encoded @ before the host', 'https://me%3Ahunter2%40git.example/a', 'https://git.example/a'],
    ['a password without host', 'https://me:hunter2', 'https://me'],
    ['backslashes', String.raw`https:\\me:hunter2@git.example\a`, String.raw`https://git.example\a`],
    ['no scheme', 'me:hunter2@git.example/a', 'git.example/a'],
    ['an address as user without scheme', 'me@corp.example:hunter2@git.example/a', 'git.example/a'],
    ['no slashes', 'https:me:hunter2@git.example/a', 'git.example/a'],
    ['a broken host and a query', 'https://git example/a?token=hunter2', 'https://git example/a'],
  ])('loses %s', (_, url, shown) => {
    expect(shownUrl(url)).toBe(shown);
    const parsed = URL.canParse(url) ? shownUrl(new URL(url)) : '';
    expect(parsed).not.toMatch(/hunter2|hun|ter2/);
  });

  it('loses a password that is longer than what is shown', () => {
    expect(shownUrl(`https://me:${'x'.repeat(100_000)}@git.example/a`)).toBe('https://git.example/a');
  });

  it('is one line of bounded length', () => {
    const shown = shownUrl(`https://git.example/\u202e${'a\n'.repeat(5000)}`);
    expect(shown).not.toMatch(/[\n\u202e]/u);
    expect(Array.from(shown).length).toBeLessThanOrEqual(2049);
  });

  it('takes a moment, whatever it is given', () => {
    const started = performance.now();
    for (const part of ['@', ':', '%40', 'a@', '/@', 'https://', '?', 'a:'])
      for (const prefix of ['', 'https://', 'a@b:']) shownUrl(prefix + part.repeat(300_000));
    expect(performance.now() - started).toBeLessThan(5000);
  });
});
