import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseGitUrl } from '../../../lib/git/url.ts';
import {
  isSettled,
  listedIn,
  parseFailure,
  parseSeen,
  prefixesFor,
  showFailure,
  showSeen,
  tellsFollowers,
} from '../../../lib/sources/git-poll.ts';
import {
  gitPollFor,
  isPollable,
  revisionOf,
  secondsToNextPoll,
  secondsToNextTry,
} from '../../../lib/sources/polling.ts';

const key = (url: string, namespace = 'team', secretName?: string, name = 'app'): string => {
  const poll = gitPollFor(parseGitUrl(url), { namespace, name, secretName });
  return `${poll.namespace}/${poll.name}`;
};

describe('which sources are polled', () => {
  it('02#178 git branches and tags; never commits, blobs or images', () => {
    const git = (type: 'Branch' | 'Commit' | 'Tag' | 'Unknown') =>
      isPollable({ git: { url: 'u', revision: 'r', type } });
    expect([git('Branch'), git('Tag'), git('Commit'), git('Unknown')]).toEqual([true, true, false, false]);
    expect(isPollable({ blob: { url: 'u' } })).toBe(false);
    expect(isPollable({ registry: { image: 'i' } })).toBe(false);
    expect(isPollable({})).toBe(false);
  });
});

describe('a shared poll', () => {
  it('is one for all spellings of a URL', () => {
    expect(key('https://GitHub.com:443/o/r')).toBe(key('https://github.com/o/r'));
  });

  it('is not shared by different repositories, Secrets or, with a Secret, namespaces', () => {
    const keys = [
      key('https://h/a'),
      key('https://h/b'),
      key('https://h/a', 'team', 'one'),
      key('https://h/a', 'team', 'two'),
      key('https://h/a', 'other', 'one'),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('is shared across namespaces never, not even when it is anonymous', () => {
    expect(key('https://h/a', 'team')).not.toBe(key('https://h/a', 'other'));
  });

  it('is nobody else’s when the URL carries what may be a secret, and does not depend on it', () => {
    for (const url of ['https://me:hunter2@h/a', 'https://h/a?token=hunter2']) {
      expect(key(url)).not.toBe(key('https://h/a'));
      expect(key(url, 'team', undefined, 'app')).not.toBe(key(url, 'team', undefined, 'other'));
      expect(key(url)).toBe(key(url.replace('hunter2', 'changed')));
    }
  });

  it('is followed revision by revision, under names that fit a key whatever the revision', () => {
    const poll = { kind: 'GitPoll', namespace: '', name: 'x' };
    expect(revisionOf(poll, 'main')).not.toEqual(revisionOf(poll, 'v1'));
    expect(revisionOf(poll, '#'.repeat(1000)).name).toMatch(/^x\.[0-9a-f]{32}$/);
  });

  it('asks one question for all revisions, and for everything when there are many', () => {
    expect(prefixesFor(['main', 'main', 'HEAD'])).toEqual([
      'refs/heads/main',
      'refs/tags/main',
      'refs/main',
      'refs/remotes/main',
      'HEAD',
    ]);
    expect(prefixesFor(Array.from({ length: 101 }, (_, n) => `b${n}`))).toEqual(['HEAD', 'refs/']);
  });
});

describe('when a repository is listed again', () => {
  const settings = { intervalSeconds: 60 };
  it('after the interval, a little less for some, so that thousands spread', () => {
    expect(secondsToNextPoll(settings, 0)).toBe(54);
    expect(secondsToNextPoll(settings, 0.999)).toBeCloseTo(60, 1);
  });

  it('after twice as long for each failure in a row, at most ten minutes', () => {
    const waits = [1, 2, 3, 4, 5, 50].map((attempts) => secondsToNextTry(settings, attempts, 1));
    expect(waits).toEqual([60, 120, 240, 480, 600, 600]);
  });

  it('not before the host wants to be asked', () => {
    expect(secondsToNextTry(settings, 1, 0, 900)).toBe(900);
  });
});

describe('who is told of a failing repository', () => {
  it('everybody at once of a refusal, after three tries of an outage, and once only', () => {
    const told = (pace: 'slow' | 'soon') => [1, 2, 3, 4].filter((attempts) => tellsFollowers({ pace }, attempts));
    expect(told('slow')).toEqual([1]);
    expect(told('soon')).toEqual([3]);
  });
});

describe('what a poll stores', () => {
  const seen = fc.option(
    fc.record({
      commit: fc.stringMatching(/^[0-9a-f]{40}$/),
      type: fc.constantFrom('Branch', 'Tag', 'Commit', 'Unknown'),
    }),
    { nil: undefined },
  );
  it('is read as it was written', () => {
    fc.assert(
      fc.property(seen, (given) => {
        expect(parseSeen(showSeen(given))).toEqual(given);
      }),
    );
    expect(parseFailure(showFailure({ code: 'tls', message: 'no' }))).toEqual({ code: 'tls', message: 'no' });
    expect([parseFailure(undefined), parseFailure('{'), parseFailure('{"code":"toString","message":""}')]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('tells what moved: for anybody who is behind, deleted and new revisions included', () => {
    const at = (digit: string) => `${digit.repeat(40)} Branch`;
    const entries = [
      ['same', at('1')],
      ['moved', at('1')],
      ['late', at('1'), at('2')],
      ['gone', at('1')],
      ['new', '-'],
      ['none', '-'],
      ['lost'],
    ].map(([revision = '', ...seen]) => ({ revision, seen, found: undefined, version: '' }));
    const heads = ['same 1', 'moved 2', 'late 2', 'new 3', 'lost 1'].map((head) => head.split(' '));
    const refs = heads.map(([name, digit = '']) => ({ name: `refs/heads/${name}`, hash: digit.repeat(40) }));
    const behind = listedIn(entries, refs).filter((listed) => !isSettled(listed));
    expect(behind.map(({ entry }) => entry.revision)).toEqual(['moved', 'late', 'gone', 'new', 'lost']);
  });
});
