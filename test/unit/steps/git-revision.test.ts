import { describe, expect, it } from 'vitest';
import { checkRevision, listedRefs, wantedFrom } from '../../../lib/steps/prepare/git-revision.ts';

const refs = listedRefs(
  [
    'aaa\tHEAD',
    'bbb\trefs/heads/release',
    'ccc\trefs/tags/release',
    'ddd\trefs/tags/release^{}',
    'eee\trefs/pull/7/head',
    '',
  ].join('\n'),
);

describe('a git revision', () => {
  it.each([
    ['release', 'bbb'],
    ['refs/tags/release', 'ccc'],
    ['heads/release', 'bbb'],
    ['pull/7/head', 'eee'],
    ['HEAD', 'aaa'],
    ['', 'aaa'],
  ])('%j always means the same one: %s', (revision, id) => {
    expect(wantedFrom(revision, refs)).toStrictEqual({ kind: 'object', id });
  });

  it('that no ref is called may be an abbreviated commit id', () => {
    expect(wantedFrom('abc1234', refs)).toStrictEqual({ kind: 'search' });
    expect(wantedFrom('nothing', refs)).toBeUndefined();
  });

  it.each(['-f', '--upload-pack=id', 'a b', 'a..b', 'main@{1}', 'x~1', 'x^', 'a:b', 'a\nb', 'a\\b', '*'])(
    'is refused when git could take it for something else: %j',
    (revision) => {
      expect(() => checkRevision(revision)).toThrow('cannot be used');
    },
  );
});
