import { createHmac } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hostKeyVerdict, knownAlgorithms, parseKnownHosts } from '../../../lib/git/known-hosts.ts';

const key = Buffer.from('the key');
const other = Buffer.from('another key');
const b64 = (bytes: Buffer): string => bytes.toString('base64');
const verdict = (text: string, host = 'git.example.com', port = 22, shown = key) =>
  hostKeyVerdict(parseKnownHosts(text), { host, port }, shown);
const line = (hosts: string, bytes = key, type = 'ssh-ed25519'): string => `${hosts} ${type} ${b64(bytes)} comment\n`;
const hashed = (name: string): string => {
  const salt = Buffer.from('01234567890123456789');
  return `|1|${b64(salt)}|${createHmac('sha1', salt).update(name).digest('base64')}`;
};

describe('known_hosts', () => {
  it.each([
    ['plain', line('git.example.com')],
    ['in a list', line('a.example.com,git.example.com,10.0.0.1')],
    ['in other case', line('Git.Example.COM')],
    ['by wildcard', line('*.example.com')],
    ['by question mark', line('gi?.example.com')],
    ['hashed', line(hashed('git.example.com'))],
    ['with Windows line ends', line('git.example.com').replace('\n', '\r\n')],
    ['beside a wrong line', line('git.example.com', other) + line('git.example.com')],
    ['between comments and rubbish', `# ours\n\nrubbish\n${line('git.example.com')}`],
  ])('knows a host %s', (_, text) => {
    expect(verdict(text)).toBe('known');
  });

  it.each([
    ['is not named', line('gitlab.com')],
    ['is taken out of a wildcard', line('*.example.com,!git.example.com')],
    ['is hashed under another name', line(hashed('git.example.org'))],
    ['is named for another port', line('[git.example.com]:2222')],
    ['is only vouched for by an authority', `@cert-authority ${line('git.example.com')}`],
  ])('does not know a host that %s', (_, text) => {
    expect(verdict(text)).toBe('unknown');
  });

  it('names other ports in brackets, plain and hashed', () => {
    expect(verdict(line('[git.example.com]:2222'), 'git.example.com', 2222)).toBe('known');
    expect(verdict(line(hashed('[git.example.com]:2222')), 'git.example.com', 2222)).toBe('known');
    expect(verdict(line('[git.example.com]:2223'), 'git.example.com', 2222)).toBe('unknown');
  });

  it('knows a host at another port by the key of its bare name, as ssh does, which says nothing against another key', () => {
    expect(verdict(line('git.example.com'), 'git.example.com', 2222)).toBe('known');
    expect(verdict(line('git.example.com', other), 'git.example.com', 2222)).toBe('unknown');
    const both = `${line('git.example.com')}${line('[git.example.com]:2222', other)}`;
    expect(verdict(both, 'git.example.com', 2222)).toBe('mismatch');
  });

  it('tells a changed key from an unknown host', () => {
    expect(verdict(line('git.example.com', other))).toBe('mismatch');
  });

  it('refuses a revoked key even when another line allows it, and only that key', () => {
    const text = `${line('git.example.com')}@revoked ${line('*')}`;
    expect(verdict(text)).toBe('revoked');
    expect(verdict(`@revoked ${line('*', other)}${line('git.example.com')}`)).toBe('known');
  });

  it('asks the host for keys of the types it knows', () => {
    const text = line('git.example.com', key, 'ssh-rsa') + line('gitlab.com');
    const at = { host: 'git.example.com', port: 22 };
    expect(knownAlgorithms(parseKnownHosts(text), at)).toEqual(['rsa-sha2-512', 'rsa-sha2-256', 'ssh-rsa']);
    expect(knownAlgorithms(parseKnownHosts(text), { host: 'gitlab.com', port: 22 })).toEqual(['ssh-ed25519']);
    expect(knownAlgorithms(parseKnownHosts(text), { host: 'none', port: 22 })).toBeUndefined();
  });

  it('matches wildcards like the regular expression they stand for', () => {
    const patternText = fc.array(fc.constantFrom('a', 'b', '.', '*', '?'), { minLength: 1, maxLength: 8 });
    const meaning = new Map([
      ['*', '.*'],
      ['?', '.'],
      ['.', '\\.'],
    ]);
    const hostText = fc.array(fc.constantFrom('a', 'b', '.'), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(patternText, hostText, (pattern, host) => {
        const expression = pattern.map((c) => meaning.get(c) ?? c).join('');
        const expected = new RegExp(`^${expression}$`).test(host.join('')) ? 'known' : 'unknown';
        expect(verdict(line(pattern.join('')), host.join(''))).toBe(expected);
      }),
    );
  });

  it('takes any text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(['known', 'mismatch', 'revoked', 'unknown']).toContain(verdict(text));
      }),
    );
  });
});
