import { describe, expect, it } from 'vitest';
import { basicAuthorization, bearerAuthorization, givenAuthorization } from '../../../lib/secrets/authorization.ts';
import { blobAuthorizationIn } from '../../../lib/secrets/blob-secret.ts';
import { SecretError, secretText, secretWord } from '../../../lib/secrets/secret-text.ts';
import { loginIn, withoutLogin } from '../../../lib/secrets/url-login.ts';

const place = { secret: 'creds', key: 'password' };
const bytes = (text: string): Uint8Array => Buffer.from(text);

describe('a word of a Secret', () => {
  it.each(['', 'hunter2', 'pässword mit Leerzeichen ', '密码'])('%j is taken as it is', (word) => {
    expect(secretWord(place, bytes(word))).toBe(word);
  });

  it.each([
    ['hunter2\n', 'ends with a line break'],
    ['hunter2\r\n', 'ends with a line break'],
    ['\n', 'ends with a line break'],
    ['hun\nter2', 'holds a line break'],
    ['hunter2\r', 'holds a line break'],
    ['hunter2\t', 'holds a control character'],
    ['hunter2\u0000', 'holds a control character'],
  ])('%j is refused, by the names of Secret and key', (word, why) => {
    const read = (): string => secretWord(place, bytes(word));
    expect(read).toThrow(SecretError);
    expect(read).toThrow(`password of Secret creds ${why}`);
    expect(read).not.toThrow(/hunter2|hun|ter2/);
  });

  it('that is no text is refused, where text of many lines is not', () => {
    expect(() => secretWord(place, Uint8Array.of(0xff, 0xfe))).toThrow('password of Secret creds is not text in UTF-8');
    expect(secretText(place, bytes('a\nb\n'))).toBe('a\nb\n');
  });
});

describe('an Authorization header', () => {
  it('holds user and password whatever is in them', () => {
    expect(basicAuthorization({ username: 'ü', password: 'a\r\nX: y' })).toMatch(/^Basic [\w+/=]+$/);
  });

  it.each(['a\r\nX-Other: y', 'a\n', 'a\u0000', 'ü', 'a '])('is never made of the token %j', (token) => {
    expect(() => bearerAuthorization(token)).toThrow('may not stand in a header');
    expect(() => givenAuthorization(token)).toThrow('may not stand in a header');
  });
});

describe('a Secret that opens blobs', () => {
  const authorization = (data: Readonly<Record<string, string>>): string =>
    blobAuthorizationIn('s3', (key) => (data[key] === undefined ? undefined : Buffer.from(data[key])));

  it.each([
    [{ username: 'u', password: 'p' }, 'Basic dTpw'],
    [{ bearer: 'token\n' }, 'Bearer token'],
    [{ authorization: ' Custom x=y \n' }, 'Custom x=y'],
  ])('%j', (data, header) => {
    expect(authorization(data)).toBe(header);
  });

  it.each([
    [{ password: 'p\n' }, 'password of Secret s3 ends with a line break'],
    [{ bearer: 'a\nb' }, 'bearer of Secret s3 holds a line break'],
    [{ authorization: 'A: b\r\nX: y' }, 'authorization of Secret s3 holds a line break'],
    [{ bearer: 'ü' }, 'Secret s3: the credential holds characters that may not stand in a header'],
    [{}, "no auths found for 's3'"],
    [{ bearer: 'a', authorization: 'b' }, "multiple auths found for 's3'"],
  ])('%j is refused', (data, why) => {
    expect(() => authorization(data)).toThrow(why);
  });
});

describe('a login in a URL', () => {
  it('is decoded and taken out', () => {
    const url = new URL('https://me:p%40w@host.example/a?b');
    expect(loginIn(url)).toEqual({ username: 'me', password: 'p@w' });
    expect(withoutLogin(url).href).toBe('https://host.example/a?b');
    expect(loginIn(new URL('https://host.example'))).toBeUndefined();
  });

  it.each([
    'https://me:%zz@host.example/a',
    'https://me:hunter2%0A@host.example/a',
    'https://a%00:hunter2@host.example/a',
  ])('that cannot be used is refused without quoting it: %s', (url) => {
    const read = (): unknown => loginIn(new URL(url));
    expect(read).toThrow('the login in the URL https://host.example/a');
    expect(read).not.toThrow(/hunter2|%zz/);
  });
});
