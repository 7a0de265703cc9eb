import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { GitRef } from '../../../lib/git/refs.ts';
import { isRefName, refNamesFor, refTable, resolveRevision } from '../../../lib/sources/revision.ts';

const id = (digit: string): string => digit.repeat(40);
const refs: readonly GitRef[] = [
  { name: 'HEAD', hash: id('1'), symrefTarget: 'refs/heads/main' },
  { name: 'refs/heads/main', hash: id('1') },
  { name: 'refs/heads/both', hash: id('2') },
  { name: 'refs/tags/both', hash: id('3') },
  { name: 'refs/tags/light', hash: id('4') },
  { name: 'refs/tags/v1', hash: id('5'), peeled: id('6') },
  { name: 'refs/pull/7/head', hash: id('7') },
  { name: `refs/heads/${id('8')}`, hash: id('9') },
];
const resolve = (revision: string) => resolveRevision(revision, refTable(refs));

describe('a git revision', () => {
  it('02#191 that names a branch is the head of it', () => {
    expect(resolve('main')).toEqual({ commit: id('1'), type: 'Branch' });
  });

  it('02#192 that is a full commit id is that commit', () => {
    expect(resolve(id('a'))).toEqual({ commit: id('a'), type: 'Commit' });
  });

  it('02#193 that names an annotated tag is the commit behind it, where kpack takes the tag object', () => {
    expect(resolve('v1')).toEqual({ commit: id('6'), type: 'Tag' });
    expect(resolve('light')).toEqual({ commit: id('4'), type: 'Tag' });
  });

  it('02#196 that is a full ref name is that ref, where kpack takes it for a commit', () => {
    expect(resolve('refs/heads/main')).toEqual({ commit: id('1'), type: 'Branch' });
    expect(resolve('refs/tags/v1')).toEqual({ commit: id('6'), type: 'Tag' });
  });

  it('02#199 in upper case is a commit id too', () => {
    expect(resolve(id('A'))).toEqual({ commit: id('a'), type: 'Commit' });
  });

  it.each(['x', 'abc1234', 'refs/heads/x', `${id('a')}a`])(
    '02#201 that is nothing of the kind (%s) is not found, where kpack takes it for a commit',
    (text) => {
      expect(resolve(text)).toBeUndefined();
    },
  );

  it('02#202 outside of branches and tags is found, and of unknown type', () => {
    expect(resolve('pull/7/head')).toEqual({ commit: id('7'), type: 'Unknown' });
    expect(resolve('refs/pull/7/head')).toEqual({ commit: id('7'), type: 'Unknown' });
  });

  it.each(['', 'HEAD'])('%j is the default branch, and moves with it', (text) => {
    expect(resolve(text)).toEqual({ commit: id('1'), type: 'Branch' });
  });

  it('means the branch when a tag has the same name, on every call', () => {
    expect(resolve('both')).toEqual({ commit: id('2'), type: 'Branch' });
    expect(resolve('tags/both')).toEqual({ commit: id('3'), type: 'Tag' });
  });

  it('means a branch before a commit of the same digits', () => {
    expect(resolve(id('8'))).toEqual({ commit: id('9'), type: 'Branch' });
  });

  it('is asked for by exactly the names it may mean', () => {
    expect(refNamesFor('HEAD')).toEqual(['HEAD']);
    expect(refNamesFor('v1')).toEqual(['refs/heads/v1', 'refs/tags/v1', 'refs/v1', 'refs/remotes/v1']);
    expect(refNamesFor('refs/heads/main')[0]).toBe('refs/heads/main');
  });

  it.each(['a b', 'a\nb', 'main~1', 'v1^{}', 'a:b', 'a'.repeat(1001)])('%j cannot name a ref', (text) => {
    expect(isRefName(text)).toBe(false);
  });

  it('does not depend on the order of refs', () => {
    const revision = fc.constantFrom('main', 'both', 'v1', '', 'refs/tags/both', 'pull/7/head', id('8'), 'none');
    fc.assert(
      fc.property(fc.shuffledSubarray([...refs], { minLength: refs.length }), revision, (shuffled, text) => {
        expect(resolveRevision(text, refTable(shuffled))).toEqual(resolve(text));
      }),
    );
  });
});
