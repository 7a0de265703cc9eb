/** Which failures a user is told, and when: nothing flips, and flips back, for what passes (DESIGN §3.33). */
import { describe, expect, it } from 'vitest';
import { ExpectedError, PermanentError } from '../../../lib/errors/expected.ts';
import { GitError } from '../../../lib/git/errors.ts';
import { KubeError } from '../../../lib/kube/errors.ts';
import { OciError } from '../../../lib/oci/errors.ts';
import { isNews } from '../../../lib/reconcile/news.ts';

const conditions = [{ type: 'Ready', status: 'True' }];
const settled = { metadata: { generation: 2 }, status: { observedGeneration: 2, conditions } };
const edited = { metadata: { generation: 3 }, status: { observedGeneration: 2, conditions } };
const fresh = { metadata: { generation: 1 } };

const told = (object: Parameters<typeof isNews>[0], failure: Parameters<typeof isNews>[1], lasted = 0, attempts = 1) =>
  isNews(object, failure, { attempts, since: 1000, now: 1000 + lasted });

const ofServer = (
  ['unreachable', 'timeout', 'throttled', 'server', 'unauthorized', 'not-found', 'conflict', 'expired'] as const
).map((code) => [`${code} of the API server`, new KubeError(code, 'x')] as const);
const ofHosts = [
  ['a registry that throttles', new OciError('throttled', 'x')],
  ['a registry out of order', new OciError('unavailable', 'x')],
  ['a registry without an answer', new OciError('unreachable', 'x')],
  ['a git host that throttles', new GitError('throttled', 'x', { host: 'h' })],
  ['a git host without an answer', new GitError('host-unreachable', 'x', { host: 'h' })],
  ['something that is waited for', new ExpectedError('x')],
] as const;

describe('a failure that may pass', () => {
  it.each([...ofServer, ...ofHosts])(
    '(%s) is told of what worked once it has lasted for half a minute',
    (_, failure) => {
      expect([0, 29, 30, 300].map((lasted) => told(settled, failure, lasted))).toStrictEqual([
        false,
        false,
        true,
        true,
      ]);
    },
  );

  it.each(ofServer)('(%s) is told nobody at once, not of what is new either', (_, failure) => {
    expect([told(fresh, failure), told(edited, failure)]).toStrictEqual([false, false]);
  });

  it.each(ofHosts)('(%s) of a host that somebody has just named is told at once', (_, failure) => {
    expect([told(fresh, failure), told(edited, failure)]).toStrictEqual([true, true]);
  });
});

describe('a failure that somebody has to mend', () => {
  it.each([
    ['a spec that is wrong', new PermanentError('Invalid', 'x')],
    ['401 of a registry', new OciError('unauthorized', 'x')],
    ['an image that is not there', new OciError('not-found', 'x')],
    ['a key that a git host refuses', new GitError('key-refused', 'x', { host: 'h' })],
    ['a Secret that is missing', new ExpectedError('x', { pace: 'slow' })],
    ['somebody else’s object of the name', new KubeError('already-exists', 'x')],
  ])('(%s) is told at once', (_, failure) => {
    expect([told(settled, failure), told(edited, failure), told(fresh, failure)]).toStrictEqual([true, true, true]);
  });

  it('403 of the API server is told at once of what is new; of what worked when it is no server that just starts', () => {
    const forbidden = new KubeError('forbidden', 'x', { status: 403, pace: 'slow' });
    expect(told(fresh, forbidden)).toBe(true);
    expect([1, 2, 3, 4].map((attempts) => told(settled, forbidden, 7, attempts))).toStrictEqual([
      false,
      false,
      false,
      true,
    ]);
  });
});
