import { describe, expect, it } from 'vitest';
import { printableLines } from '../../../lib/text/printable.ts';
import { isPlain, shownText } from '../../../lib/text/shown-text.ts';

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

  it.each([
    'https://me:p@host',
    'me@host',
    'Authorization=x',
    'proxy-authorization: x',
    'a BEARER token',
    'Basic aHVudGVyMg',
    'red\u001b[31m',
    'two\r\nlines',
    'zero\u200bwidth',
    'tab\there',
    '\ud800',
  ])('is looked at closely where there may be something: %j', (text) => {
    expect(isPlain(text)).toBe(false);
  });

  it.each(['app-build-1', 'two\nlines', 'pass finished', '(7 of 8)'])('is not where there cannot: %j', (text) => {
    expect([isPlain(text), shownText(text), printableLines(text)]).toStrictEqual([true, text, text]);
  });

  it('takes a moment, whatever it is given', () => {
    const started = performance.now();
    for (const part of ['a:', 'a@', 'https://', 'Bearer ', 'authorization', "'a:b@", ' a', 'x'])
      shownText(part.repeat(200_000));
    expect(performance.now() - started).toBeLessThan(5000);
  });
});
