import { describe, expect, it } from 'vitest';
import { shownText } from '../../../lib/text/shown-text.ts';

describe('what another program wrote', () => {
  it.each([
    [
      "fatal: unable to access 'https://me:hunter2@git.example/a?token=hunter2': The requested URL returned error: 500",
      "fatal: unable to access 'https://git.example/a?token=REDACTED': The requested URL returned error: 500",
    ],
    ['cannot open me:hunter2@git.example/a', 'cannot open git.example/a'],
    ['--proxy=me:p=a@ss@proxy.example and user:x@y', 'proxy.example and y'],
    ['invalid value "Bearer hunter2.abc" of header', 'invalid value "Bearer REDACTED" of header'],
    ['> Authorization: Basic aHVudGVyMg==\n> Accept: */*', '> Authorization: REDACTED\n> Accept: */*'],
  ])('is shown without secrets: %s', (text, shown) => {
    expect(shownText(text)).toBe(shown);
  });

  it.each([
    'GET https://registry.example/v2/app/manifests/latest: MANIFEST_UNKNOWN: no such manifest',
    'registry.example:5000/app:1@sha256:abc is not there',
    'no token in bearer response',
    'a kubernetes.io/basic-auth Secret is asked for',
    'at run (file:///app/main.js:10:5)',
    'object default/app: again in 10 s',
    'cloning ssh://git@git.example/a.git into mail@example.org',
  ])('stays as it is without any: %s', (text) => {
    expect(shownText(text)).toBe(text);
  });

  it('takes a moment, whatever it is given', () => {
    const started = performance.now();
    for (const part of ['a:', 'a@', 'https://', 'Bearer ', 'authorization', "'a:b@", ' a', 'x'])
      shownText(part.repeat(200_000));
    expect(performance.now() - started).toBeLessThan(5000);
  });
});
