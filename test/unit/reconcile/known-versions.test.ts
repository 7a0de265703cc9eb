/** Which reads may be answered from the API server's watch cache. */
import { describe, expect, it } from 'vitest';
import { type Certain, knownVersions } from '../../../lib/reconcile/known-versions.ts';
import { Received } from '../../../lib/reconcile/received.ts';

const target = { cluster: 'one', kind: 'Build', namespace: 'team', name: 'app-build-1' };
const self = { kind: 'Build', namespace: 'team', name: 'app-build-1' };
const pod = { kind: 'Pod', namespace: 'team', name: 'app-build-1-build-pod' };
const told = (object: typeof pod, resourceVersion: string, epoch = 'e.0') => ({
  epoch,
  reason: 'child' as const,
  cause: { ...object, uid: 'u', resourceVersion },
});
const record = { epoch: 'e.0', resourceVersion: '40', edges: [] };

const due = { epoch: '', reason: 'due' as const, cause: { ...self, uid: '', resourceVersion: '' } };

/** What is known to a pass of `target` that has declared nothing, unless told otherwise. */
const known = (
  messages: Parameters<typeof knownVersions>[1],
  of: Parameters<typeof knownVersions>[2],
  certain: Partial<Certain> = {},
) => knownVersions(target, messages, of, { declared: () => [], received: () => undefined, ...certain });

describe('a read by name', () => {
  it('need not be newer than what its event told, the last one where there are several', () => {
    const versions = known([told(pod, '41'), told(self, '42'), told(pod, '43')], record);
    expect([versions(pod), versions(self)]).toEqual(['43', '42']);
  });

  it('of the object itself need not be newer than what the last pass left, when another object’s event woke us', () => {
    expect(known([told(pod, '41')], record)(self)).toBe('40');
    expect(known([due], record)(self)).toBe('40');
  });

  it('of anything else asks the store: what is depended on is declared before it is read', () => {
    const versions = known([told(pod, '41')], record);
    expect(versions({ kind: 'ServiceAccount', namespace: 'team', name: 'default' })).toBeUndefined();
    expect(versions({ ...pod, namespace: 'other' })).toBeUndefined();
    expect(versions({ ...pod, name: 'app-build-2-build-pod' })).toBeUndefined();
  });

  it('of a dependency need not be newer than its event only while an edge leads from it: what came meanwhile would wake nobody', () => {
    const builder = { kind: 'Builder', namespace: 'team', name: 'base' };
    const woken = { ...told(builder, '41'), reason: 'dependency' as const };
    const versionWith = (...edges: readonly string[]) => known([woken], { ...record, edges })(builder);
    expect(versionWith()).toBeUndefined();
    expect(versionWith('Builder#team#other')).toBeUndefined();
    expect(versionWith('Builder#team#base')).toBe('41');
    expect(versionWith('Builder#team#*')).toBe('41');
  });

  it('of what the pass has declared need not be newer than what a relay in this process has received: of what comes later it will be told', () => {
    const builder = { kind: 'Builder', namespace: 'team', name: 'base' };
    const declared: (typeof builder)[] = [];
    const versions = known([told(self, '42')], record, {
      declared: () => declared,
      received: ({ kind }) => `${kind} 50`,
    });
    expect(versions(builder)).toBeUndefined();
    declared.push(builder);
    expect(versions(builder)).toBe('Builder 50');
    expect(versions({ ...builder, name: 'other' })).toBeUndefined();
    expect(versions(self)).toBe('42');
  });

  it('of another history of versions asks the store', () => {
    expect(known([told(pod, '41', 'e.1')], record)(self)).toBeUndefined();
    expect(known([told(pod, '41'), told(self, '3', 'e.1')], record)(pod)).toBeUndefined();
    expect(known([], { ...record, epoch: undefined })(self)).toBeUndefined();
  });
});

describe('what a relay has received', () => {
  it('is the newest version of a kind, in this epoch alone', () => {
    const received = new Received(() => new Date(0));
    expect(received.version('one', { kind: 'Builder', namespace: 'team', name: 'own' }, 'e.0')).toBeUndefined();
    for (const version of ['9', '50', '10', '']) received.note('one', 'Builder', 'e.0', version);
    expect(received.version('one', { kind: 'Builder', namespace: 'team', name: 'own' }, 'e.0')).toBe('50');
    expect(received.version('one', { kind: 'ClusterStack', namespace: 'team', name: 'own' }, 'e.0')).toBeUndefined();
    expect(received.version('two', { kind: 'Builder', namespace: 'team', name: 'own' }, 'e.0')).toBeUndefined();
    received.note('one', 'Builder', 'e.1', '3');
    expect(received.version('one', { kind: 'Builder', namespace: 'team', name: 'own' }, 'e.1')).toBe('3');
    expect(received.version('one', { kind: 'Builder', namespace: 'team', name: 'own' }, 'e.0')).toBeUndefined();
  });
});
