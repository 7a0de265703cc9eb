import { describe, expect, it } from 'vitest';
import { maySkip, seenToken, type Wakeup } from '../../../lib/reconcile/skip.ts';
import type { ObjectRecord } from '../../../lib/state/records.ts';

const target = { kind: 'Image', namespace: 'team', name: 'app' };
const resolver = { kind: 'SourceResolver', namespace: 'team', name: 'app-source', uid: 'u', resourceVersion: '7' };

const record = (rest: Partial<ObjectRecord> = {}): ObjectRecord => ({
  attempts: 0,
  edges: [],
  looseEdges: [],
  epoch: 'e.0',
  resourceVersion: '5',
  seen: [seenToken(resolver)],
  ...rest,
});
const listed = (cause: Partial<Wakeup['cause']>, rest: Partial<Wakeup> = {}): Wakeup => ({
  target,
  cause: { ...resolver, ...cause },
  epoch: 'e.0',
  reason: 'list',
  ...rest,
});

describe('a list after a gap in the watch', () => {
  it('costs nothing for a child in the version that the last pass decided on', () => {
    expect(maySkip([listed({})], record())).toBe(true);
  });

  it('does not lose a source that moved while nobody watched', () => {
    expect(maySkip([listed({ resourceVersion: '8' })], record())).toBe(false);
  });

  it('does not lose a child that the last pass did not see', () => {
    expect(maySkip([listed({ name: 'app-build-2', kind: 'Build' })], record())).toBe(false);
    expect(maySkip([listed({})], record({ seen: [] }))).toBe(false);
  });

  it('does not lose a child whose version number came again in a restored cluster', () => {
    expect(maySkip([listed({}, { epoch: 'e.1' })], record())).toBe(false);
  });

  it('does not lose an object of another kind that has the name and version of one that was seen', () => {
    expect(maySkip([listed({ kind: 'Build' })], record())).toBe(false);
  });
});

describe('an event of a child', () => {
  it('costs nothing in the version that the last pass decided on, which may have made it itself', () => {
    expect(maySkip([listed({}, { reason: 'child' })], record())).toBe(true);
  });

  it('is news in any other version, whatever the number', () => {
    for (const resourceVersion of ['6', '8', ''])
      expect(maySkip([listed({ resourceVersion }, { reason: 'child' })], record())).toBe(false);
    expect(maySkip([listed({}, { reason: 'child', epoch: 'e.1' })], record())).toBe(false);
  });

  it('is not skipped because it has the version of the object itself', () => {
    expect(maySkip([listed({ resourceVersion: '5' }, { reason: 'list' })], record())).toBe(false);
  });
});

describe('an event of the object itself', () => {
  const self = (resourceVersion: string): Wakeup => ({
    target,
    cause: { ...target, uid: '', resourceVersion },
    epoch: 'e.0',
    reason: 'self',
  });
  const settledBy = record({ seen: [seenToken({ ...target, resourceVersion: '4' })] });

  it('of a version on the way to the recorded one costs nothing: whoever made it settled it too', () => {
    expect(maySkip([self('4'), self('5')], settledBy)).toBe(true);
  });

  it('of a version that nobody has seen is looked at', () => {
    expect(maySkip([self('4'), self('6')], settledBy)).toBe(false);
    expect(maySkip([self('3')], settledBy)).toBe(false);
  });
});

describe('a batch', () => {
  it('is skipped only if every message of the key may be', () => {
    const self: Wakeup = { target, cause: { ...target, uid: '', resourceVersion: '5' }, epoch: 'e.0', reason: 'self' };
    expect(maySkip([self, listed({})], record())).toBe(true);
    expect(maySkip([self, listed({ resourceVersion: '8' })], record())).toBe(false);
  });
});
