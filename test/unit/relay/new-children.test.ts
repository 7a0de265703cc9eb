import { describe, expect, it } from 'vitest';
import { pointersFor, watchedKinds } from '../../../lib/relay/pointers.ts';

const kindOf = (kind: string) => {
  const found = watchedKinds.find((watched) => watched.kind === kind);
  if (found === undefined) throw new Error(`${kind} is not watched`);
  return found;
};

const owner = { apiVersion: 'kpack.io/v1alpha2', kind: 'Image', name: 'app', uid: 'u', controller: true };
const meta = { name: 'app-source', namespace: 'team', uid: 'v', resourceVersion: '7', ownerReferences: [owner] };
const origin = { cluster: 'c', epoch: 'e.0' };

const woken = (change: Parameters<typeof pointersFor>[4], kind = 'SourceResolver', listed?: string) =>
  pointersFor(kindOf(kind), meta, origin, listed, change).map(
    ({ message: { target, reason } }) => `${reason} ${target.kind}/${target.name}`,
  );

describe('a child that was just made', () => {
  it('is looked at itself, but is no news to the owner that made it', () => {
    expect(woken({ added: true })).toStrictEqual(['self SourceResolver/app-source']);
  });

  it('wakes its owner with everything that becomes of it', () => {
    expect(woken({})).toStrictEqual(['self SourceResolver/app-source', 'child Image/app']);
  });

  it('that only wakes others wakes nobody', () => {
    expect(woken({ added: true }, 'PersistentVolumeClaim')).toStrictEqual([]);
  });
});

describe('a claim', () => {
  it('that is bound, annotated or listed is no news to its Image', () => {
    expect(woken({}, 'PersistentVolumeClaim')).toStrictEqual([]);
    expect(woken({}, 'PersistentVolumeClaim', 'list@1')).toStrictEqual([]);
  });

  it('that is gone is made again', () => {
    expect(woken({ deleted: true }, 'PersistentVolumeClaim')).toStrictEqual(['child Image/app']);
  });
});
