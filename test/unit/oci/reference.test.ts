import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../../lib/oci/digest.ts';
import {
  identifierOf,
  parseReference,
  parseRepository,
  parseTag,
  printReference,
  printRepository,
  withDigest,
  withTag,
} from '../../../lib/oci/reference.ts';

const digest = digestOf('x');

describe('names of images', () => {
  it.each([
    ['busybox', 'index.docker.io/library/busybox:latest'],
    ['busybox:1', 'index.docker.io/library/busybox:1'],
    ['docker.io/busybox', 'index.docker.io/library/busybox:latest'],
    ['docker.io/a/b', 'index.docker.io/a/b:latest'],
    ['a/b', 'index.docker.io/a/b:latest'],
    ['localhost/x', 'index.docker.io/localhost/x:latest'],
    ['localhost:5000/x1', 'localhost:5000/x1:latest'],
    ['example.com/a/b/c:v1', 'example.com/a/b/c:v1'],
    ['example.com:8443/a/b', 'example.com:8443/a/b:latest'],
    ['[::1]:5000/ab', '[::1]:5000/ab:latest'],
    ['example.com/ab:', 'example.com/ab:latest'],
    [`example.com/ab@${digest}`, `example.com/ab@${digest}`],
    [`example.com/ab:tag@${digest}`, `example.com/ab@${digest}`],
    [`localhost:5000/ab@${digest}`, `localhost:5000/ab@${digest}`],
  ])('%s means %s', (text, canonical) => {
    expect(printReference(parseReference(text))).toBe(canonical);
  });

  it.each([
    '',
    'x',
    'UPPER/case',
    'example.com/invalid::builder',
    'example.com/a b',
    'example.com/../v2/other',
    'example.com/a//b',
    'example.com/',
    '/ab',
    'exa mple.com/ab',
    'user@example.com/ab',
    'http://example.com/ab',
    `example.com/ab:${'t'.repeat(129)}`,
    `example.com/${'a'.repeat(256)}`,
    'example.com/ab@sha256:abc',
    `example.com/ab@${digest}@${digest}`,
    `example.com/ab@${digest.toUpperCase()}`,
    'example.com/ab@sha512:00',
    'example.com:port/ab',
    'example.com/ab:..',
  ])('refuses %j, saying which text', (text) => {
    expect(() => parseReference(text)).toThrow(`could not parse reference: ${text}`);
  });

  it('04#104 refuses a tag with two colons', () => {
    expect(() => parseTag('example.com/invalid::builder')).toThrow(
      'could not parse reference: example.com/invalid::builder',
    );
  });

  it('will not take a digest for what is pushed to', () => {
    expect(() => parseTag(`example.com/ab@${digest}`)).toThrow('could not parse reference');
  });

  it('names tag or digest as the identifier', () => {
    expect(identifierOf(parseReference('example.com/ab:v1'))).toBe('v1');
    expect(identifierOf(parseReference(`example.com/ab@${digest}`))).toBe(digest);
  });

  it('moves to another tag or digest of the same repository', () => {
    const repository = parseRepository('example.com/ab:v1');
    expect(printRepository(repository)).toBe('example.com/ab');
    expect(printReference(withTag(repository, 'v2'))).toBe('example.com/ab:v2');
    expect(printReference(withDigest(repository, digest))).toBe(`example.com/ab@${digest}`);
    expect(() => withTag(repository, 'not a tag')).toThrow('could not parse reference');
  });
});

const segment = fc.stringMatching(/^[a-z0-9]([a-z0-9_.-]{0,10}[a-z0-9])?$/).filter((s) => s !== '.' && s !== '..');
const registry = fc
  .tuple(fc.domain(), fc.option(fc.integer({ min: 1, max: 65535 })))
  .map(([host, port]) => (port === null ? host : `${host}:${port}`));
const tag = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,39}$/);

const attempt = (text: string) => {
  try {
    const reference = parseReference(text);
    const url = new URL(`https://${reference.registry}/v2/${reference.path}/manifests/${identifierOf(reference)}`);
    return { ok: true, url: url.pathname, path: reference.path } as const;
  } catch (error) {
    return { ok: false, message: error instanceof Error ? error.message : '' } as const;
  }
};

describe('any name', () => {
  it('prints to a text that parses to the same reference', () => {
    fc.assert(
      fc.property(registry, fc.array(segment, { minLength: 2, maxLength: 4 }), tag, (host, path, name) => {
        const reference = parseReference(`${host}/${path.join('/')}:${name}`);
        expect(parseReference(printReference(reference))).toEqual(reference);
        expect(reference).toEqual({
          registry: host === 'docker.io' ? 'index.docker.io' : host,
          path: path.join('/'),
          tag: name,
        });
      }),
    );
  });

  it('parses or fails with the one sentence, and never makes a URL path climb', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (text) => {
        const outcome = attempt(text);
        expect(outcome.ok ? outcome.url : outcome.message).toContain(
          outcome.ok ? `/v2/${outcome.path}/manifests/` : `could not parse reference: ${text}`,
        );
      }),
    );
  });
});
