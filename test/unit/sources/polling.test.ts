import { createHash } from 'node:crypto';
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
  isListedSince,
  isPollable,
  movedPollAt,
  nextPollAt,
  paceWithHooks,
  revisionOf,
  secondsToNextTry,
} from '../../../lib/sources/polling.ts';
import type { TargetKey } from '../../../lib/state/keys.ts';
import { pageFor, pageOf } from '../../../lib/state/poll-pages.ts';

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
  const poll = (name: string) => ({ cluster: 'one', kind: 'GitPoll', namespace: 'team', name });

  it('at a moment of its own in each interval: after exactly one when it was listed in time, however late it was', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 10, max: 86_400 }), fc.nat(1e9), (name, intervalSeconds, now) => {
        const first = nextPollAt(poll(name), { intervalSeconds }, now);
        expect(first).toBeGreaterThan(now);
        expect(first - now).toBeLessThanOrEqual(Math.ceil(1.05 * intervalSeconds) + 1);
        for (const late of [0, 1, Math.floor(0.9 * intervalSeconds)])
          expect(nextPollAt(poll(name), { intervalSeconds }, first + late)).toBe(first + intervalSeconds);
      }),
    );
  });

  it('a hundred thousand repositories are spread over the interval evenly, also when all were woken at once', () => {
    const many = 100_000;
    const settings = { intervalSeconds: 300 };
    for (const round of [0, 1]) {
      const perSecond = new Map<number, number>();
      for (let at = 0; at < many; at += 1) {
        const target = {
          cluster: `c${at % 20}`,
          kind: 'GitPoll',
          namespace: `team-${at % 500}`,
          name: `repository-${at}`,
        };
        // Of the second round each was listed up to a minute late, as sweeps come.
        const woken = 1_000_000 + round * 345;
        const dueAt = nextPollAt(target, settings, woken);
        perSecond.set(dueAt - woken, (perSecond.get(dueAt - woken) ?? 0) + 1);
      }
      const counts = [...perSecond.values()];
      expect(perSecond.size).toBeGreaterThanOrEqual(300);
      expect(Math.max(...counts)).toBeLessThan((1.3 * many) / 300);
      const perSweep = Object.groupBy([...perSecond], ([after]) => String(Math.floor((after - 15) / 60)));
      for (const group of Object.values(perSweep)) {
        const sum = (group ?? []).reduce((all, [, count]) => all + count, 0);
        expect(Math.abs(sum / (many / 5) - 1)).toBeLessThan(0.03);
      }
    }
  });

  it('a hundred thousand repositories of one cluster lie in pages of fifty, which are spread over the interval evenly', () => {
    const many = 100_000;
    const settings = { intervalSeconds: 300 };
    const pages = new Map<string, { readonly page: TargetKey; rows: number }>();
    for (let at = 0; at < many; at += 1) {
      const page = pageFor(poll(createHash('sha256').update(String(at)).digest('hex').slice(0, 40)), 300, {
        exponent: 11,
      });
      const known = pages.get(page.name) ?? { page, rows: 0 };
      known.rows += 1;
      pages.set(page.name, known);
    }
    const all = [...pages.values()];
    expect(all).toHaveLength(2048);
    expect(Math.max(...all.map(({ rows }) => rows))).toBeLessThanOrEqual(100);
    expect(Math.min(...all.map(({ rows }) => rows))).toBeGreaterThanOrEqual(10);
    const perMinute = new Map<number, number>();
    for (const { page, rows } of all) {
      const minute = Math.floor((nextPollAt(page, settings, 1_000_000) - 1_000_015) / 60);
      perMinute.set(minute, (perMinute.get(minute) ?? 0) + rows);
    }
    expect(perMinute.size).toBe(5);
    for (const rows of perMinute.values()) expect(Math.abs(rows / (many / 5) - 1)).toBeLessThan(0.03);
  });

  it('pages of different clusters have different moments', () => {
    const moments = ['a', 'b', 'c', 'd', 'e'].map((cluster) =>
      nextPollAt(pageOf({ cluster, kind: 'GitPoll' }, 300, 0), { intervalSeconds: 300 }, 1_000_000),
    );
    expect(new Set(moments).size).toBe(5);
  });

  it('a sweep moves a page to its next moment, however rare that is', () => {
    const page = (interval: number): TargetKey => pageOf({ cluster: 'one', kind: 'GitPoll' }, interval, 0);
    for (const intervalSeconds of [60, 300, 3600, 604_800])
      expect(movedPollAt(page(intervalSeconds), { intervalSeconds: 60 }, 1000)).toBe(
        nextPollAt(page(intervalSeconds), { intervalSeconds }, 1000),
      );
    expect(movedPollAt(page(10), { intervalSeconds: 300 }, 1000)).toBeUndefined();
  });

  it('a sweep moves a usual poll to where its pass will want it, and others ten minutes on', () => {
    const settings = { intervalSeconds: 300 };
    expect(movedPollAt(poll('a'), settings, 1000)).toBe(nextPollAt(poll('a'), settings, 1030));
    expect(movedPollAt({ ...poll('a'), kind: 'Image' }, settings, 1000)).toBeUndefined();
    expect([2, 0, 3600].map((intervalSeconds) => movedPollAt(poll('a'), { intervalSeconds }, 1000))).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('not again when it was listed since its time came, and everybody who had to was woken', () => {
    const listed = { askedAt: 100, isWaking: false };
    expect([isListedSince(listed, [99]), isListedSince(listed, [99, 98])]).toEqual([true, true]);
    expect([isListedSince(listed, [100]), isListedSince(listed, [99, 101])]).toEqual([false, false]);
    expect(isListedSince({ ...listed, isWaking: true }, [99])).toBe(false);
    expect(isListedSince({ ...listed, askedAt: undefined }, [99])).toBe(false);
    expect(isListedSince(listed, undefined)).toBe(false);
  });

  it.each([
    ['each five minutes when no hook was ever heard', undefined, false, 300],
    ['hourly when a push hook was heard', 900, false, 3600],
    ['as somebody asked for it, whatever is heard', 900, true, 300],
    ['each five minutes again when no hook was heard for a month', 1000 - 30 * 86_400, false, 300],
  ])('%s', (_, hookedAt, isAsked, seconds) => {
    const pace = paceWithHooks({ intervalSeconds: 300 }, { isAsked, hookedAt, now: 1000 });
    expect(pace).toEqual({ intervalSeconds: seconds });
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
