/** Which reads may be answered from the API server's watch cache. */
import { describe, expect, it } from 'vitest';
import { knownVersions } from '../../../lib/reconcile/known-versions.ts';

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

describe('a read by name', () => {
  it('need not be newer than what its event told, the last one where there are several', () => {
    const versions = knownVersions(target, [told(pod, '41'), told(self, '42'), told(pod, '43')], record);
    expect([versions(pod), versions(self)]).toEqual(['43', '42']);
  });

  it('of the object itself need not be newer than what the last pass left, when another object’s event woke us', () => {
    expect(knownVersions(target, [told(pod, '41')], record)(self)).toBe('40');
    expect(knownVersions(target, [due], record)(self)).toBe('40');
  });

  it('of anything else asks the store: what is depended on is declared before it is read', () => {
    const versions = knownVersions(target, [told(pod, '41')], record);
    expect(versions({ kind: 'ServiceAccount', namespace: 'team', name: 'default' })).toBeUndefined();
    expect(versions({ ...pod, namespace: 'other' })).toBeUndefined();
    expect(versions({ ...pod, name: 'app-build-2-build-pod' })).toBeUndefined();
  });

  it('of a dependency need not be newer than its event only while an edge leads from it: what came meanwhile would wake nobody', () => {
    const builder = { kind: 'Builder', namespace: 'team', name: 'base' };
    const woken = { ...told(builder, '41'), reason: 'dependency' as const };
    const versionWith = (...edges: readonly string[]) => knownVersions(target, [woken], { ...record, edges })(builder);
    expect(versionWith()).toBeUndefined();
    expect(versionWith('Builder#team#other')).toBeUndefined();
    expect(versionWith('Builder#team#base')).toBe('41');
    expect(versionWith('Builder#team#*')).toBe('41');
  });

  it('of another history of versions asks the store', () => {
    expect(knownVersions(target, [told(pod, '41', 'e.1')], record)(self)).toBeUndefined();
    expect(knownVersions(target, [told(pod, '41'), told(self, '3', 'e.1')], record)(pod)).toBeUndefined();
    expect(knownVersions(target, [], { ...record, epoch: undefined })(self)).toBeUndefined();
  });
});
