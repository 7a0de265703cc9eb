/** Texts that repeat what a parser may stumble over: none makes it backtrack, at the largest size it is given. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseVersion } from '../../lib/buildpacks/versions.ts';
import { hostKeyVerdict, MAX_KNOWN_HOSTS, parseKnownHosts } from '../../lib/git/known-hosts.ts';
import { repositoryPlace } from '../../lib/git/place.ts';
import { parseGitUrl } from '../../lib/git/url.ts';
import { parseChallenge } from '../../lib/oci/challenge.ts';
import { nextIn } from '../../lib/oci/link.ts';
import { parseReference } from '../../lib/oci/reference.ts';
import { askedSeconds } from '../../lib/sources/poll-interval.ts';
import { isRefName } from '../../lib/sources/revision.ts';
import { parseJson } from '../../lib/text/bounded-json.ts';
import { readPem } from '../../lib/text/pem.ts';
import { canonicalQuantity } from '../../lib/text/quantity.ts';
import { shownUrl } from '../../lib/text/shown-url.ts';
import { millisecondsOf, mostMilliseconds } from './processor-time.ts';

const kib = 1024;
const mib = 1024 * kib;

/** Parsers of one text, with what their texts are made of. */
const parsers: readonly (readonly [
  name: string,
  units: readonly string[],
  most: number,
  parse: (text: string) => unknown,
])[] = [
  [
    'git URLs',
    ['a', '@', ':', '/', '[', ']', 'https://', 'ssh://', '%41', '.', '?', '#', '-', '\n'],
    mib,
    (text) => repositoryPlace(parseGitUrl(text)),
  ],
  ['image names', ['a', '.', ':', '/', '@', '-', '_', 'sha256:', '[', ']', '0'], mib, parseReference],
  ['URLs that are shown', ['a', '@', ':', '/', '?', '=', '&', 'https://', '%', '\u202E'], mib, shownUrl],
  ['versions', ['1', '.', '-', '+', 'a', 'v', '0'], 256 * kib, parseVersion],
  ['quantities', ['1', '.', 'E', 'e', '-', '+', 'Ki', ' '], 256 * kib, canonicalQuantity],
  ['intervals', ['1', 's', ' ', '-', '.'], 256 * kib, (text) => askedSeconds({ 'kpack.io/git-poll-interval': text })],
  ['revisions', ['a', '/', '.', '@{', '~', ' '], 256 * kib, isRefName],
  [
    'PEM',
    ['-----BEGIN ', '-----END ', '-----', 'A', '\n', ' ', ':', 'KEY'],
    64 * kib,
    (text) => readPem(text, 64 * kib),
  ],
  ['JSON', ['[', '{', '"', '\\', ',', ':', '1', 'a'], mib, (text) => parseJson(text, { mostCharacters: mib })],
  ['links', ['<', '>', ';', 'rel=', '"', 'next', ',', ' '], 8 * kib, nextIn],
  ['challenges', ['Bearer ', 'realm=', '"', '\\', ',', ' ', 'a'], 16 * kib, parseChallenge],
  [
    'known_hosts',
    ['*', '?', ',', ' ', 'a', '|1|', '=', '\n', '!', '@revoked '],
    MAX_KNOWN_HOSTS,
    (text) => hostKeyVerdict(parseKnownHosts(text), { host: 'aaaa.a', port: 22 }, Buffer.alloc(1)),
  ],
];

describe('a text that repeats what its parser may stumble over', () => {
  it.each(parsers)('%s', async (_, units, most, parse) => {
    const piece = fc.array(fc.constantFrom(...units), { minLength: 1, maxLength: 3 }).map((parts) => parts.join(''));
    const pumped = fc
      .tuple(fc.string({ maxLength: 2 }), piece, piece, fc.string({ maxLength: 2 }))
      .map(([before, a, b, after]) => {
        const half = Math.floor(most / 2) - 8;
        return `${before}${a.repeat(Math.floor(half / a.length))}${b.repeat(Math.floor(half / b.length))}${after}`;
      });
    await fc.assert(
      fc.asyncProperty(pumped, async (text) => {
        expect(await millisecondsOf(() => parse(text))).toBeLessThan(mostMilliseconds);
      }),
      { seed: 29, numRuns: 12, interruptAfterTimeLimit: 3000 },
    );
  });
});
