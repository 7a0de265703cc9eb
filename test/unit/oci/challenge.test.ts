import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseChallenge } from '../../../lib/oci/challenge.ts';

describe('WWW-Authenticate', () => {
  it.each([
    [
      'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push"',
      {
        scheme: 'bearer',
        realm: 'https://auth.docker.io/token',
        service: 'registry.docker.io',
        scopes: ['repository:a/b:pull,push'],
      },
    ],
    [
      'bearer realm="https://x/t", scope="a:b:pull c:d:push"',
      { scheme: 'bearer', realm: 'https://x/t', service: undefined, scopes: ['a:b:pull', 'c:d:push'] },
    ],
    ['Bearer REALM = https', { scheme: 'bearer', realm: 'https', service: undefined, scopes: [] }],
    ['Basic realm="Registry \\"one\\", two"', { scheme: 'basic' }],
    ['Basic', { scheme: 'basic' }],
    ['Negotiate, Basic realm="x"', { scheme: 'basic' }],
    [
      'Negotiate abc, Bearer realm="https://x/t"',
      { scheme: 'bearer', realm: 'https://x/t', service: undefined, scopes: [] },
    ],
    ['Basic realm="a", Bearer realm="b"', { scheme: 'bearer', realm: 'b', service: undefined, scopes: [] }],
    ['Bearer service="no realm", Basic realm="a"', { scheme: 'basic' }],
    ['Bearer service="no realm"', undefined],
    ['Digest realm="x"', undefined],
    ['', undefined],
    [null, undefined],
  ])('%s', (header, challenge) => {
    expect(parseChallenge(header)).toEqual(challenge);
  });

  it('of any content is read in time and without an exception', () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 300, unit: fc.constantFrom('a', 'B', '1', '=', '"', '\\', ',', ' ', '\t', ':', '/') }),
        (header) => {
          expect(['basic', 'bearer', undefined]).toContain(parseChallenge(header)?.scheme);
        },
      ),
    );
  });
});
