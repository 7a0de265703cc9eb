/** A whole list: from where it is, whatever happens meanwhile, in pages that are small however large the objects are. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listCollection, nextLimit } from '../../../lib/kube/listing.ts';
import { collectionPath } from '../../../lib/kube/resources.ts';
import { isNoNewer } from '../../../lib/kube/versions.ts';
import { type WatchServer, watchServer } from '../../support/watch-server.ts';

let server: WatchServer;
beforeEach(async () => {
  server = await watchServer();
});
afterEach(() => server[Symbol.asyncDispose]());

const names = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `app-${index + 1000}`);

/** Lists everything newer than `floor`; gives the names as they were handed on. */
const list = async (floor = '0', meanwhile: (page: number) => void = () => undefined) => {
  const handedOn: string[] = [];
  let page = 0;
  const version = await listCollection(
    { transport: server.transport, path: collectionPath('Image'), labelSelector: undefined },
    {
      begins: () => undefined,
      isNews: ({ resourceVersion = '' }) => !isNoNewer(resourceVersion, floor),
      each: async (objects) => {
        page += 1;
        meanwhile(page);
        handedOn.push(...objects.map(({ metadata }) => metadata.name ?? ''));
      },
    },
    new AbortController().signal,
  );
  return { version, handedOn };
};

describe('a list whose token expires while it is handed on', () => {
  it('goes on behind the last key, as the server offers', async () => {
    Object.assign(server.state, { names: names(10), pageSize: 2 });
    const { version, handedOn } = await list('0', (page) => {
      if (page === 2 || page === 4) Object.assign(server.state, { expiring: 1, version: String(10 + page) });
    });
    expect(handedOn).toStrictEqual(names(10));
    // What was written meanwhile to objects of the first pages, a watch from here tells.
    expect(version).toBe('10');
    expect(server.lists.filter((from) => from === 'first')).toHaveLength(1);
  });

  it('is begun anew where the server offers nothing, and hands on nothing twice', async () => {
    Object.assign(server.state, { names: names(10), pageSize: 2, goesOn: false });
    const { version, handedOn } = await list('0', (page) => {
      if (page === 3) server.state.expiring = 1;
    });
    expect([version, handedOn]).toStrictEqual(['10', names(10)]);
  });

  it('hands on again what was written meanwhile', async () => {
    Object.assign(server.state, { names: names(6), pageSize: 2, goesOn: false });
    const { handedOn } = await list('0', (page) => {
      if (page === 2) Object.assign(server.state, { expiring: 1, versions: { 'app-1000': '11' } });
    });
    expect(handedOn.toSorted()).toStrictEqual(['app-1000', ...names(6)].toSorted());
  });

  it('again and again fails, to be tried later', async () => {
    Object.assign(server.state, { names: names(6), pageSize: 2, goesOn: false, expiring: 100 });
    await expect(list()).rejects.toMatchObject({ code: 'expired' });
    expect(server.lists.filter((from) => from === 'first')).toHaveLength(3);
  });
});

describe('pages', () => {
  it.each([
    [250, 250_000, 250],
    [250, 1_048_576, 125],
    [250, 12_500_000, 10],
    [10, 15_000_000, 10],
    [0, 100, 20],
  ])('after one of %d objects and %d bytes the next asks for %d', (count, bytes, limit) => {
    expect(nextLimit({ objects: Array.from({ length: count }, () => ({ metadata: {} })), bytes })).toBe(limit);
  });

  it('of objects with 50 KB of annotations are of about half a megabyte', async () => {
    Object.assign(server.state, { names: names(300), annotation: '"quoted"'.repeat(5000) });
    const { handedOn } = await list();
    expect(handedOn).toStrictEqual(names(300));
    expect(server.lists.slice(0, 3)).toStrictEqual(['first', '20', '30']);
  });
});

it('what is no newer than the floor is read and not handed on', async () => {
  Object.assign(server.state, { names: names(5), version: '20', versions: { 'app-1001': '9', 'app-1002': '15' } });
  expect((await list('15')).handedOn).toStrictEqual(['app-1000', 'app-1003', 'app-1004']);
});
