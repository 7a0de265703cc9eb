import { describe, expect, it } from 'vitest';
import { resolveOrder } from '../../../lib/buildpacks/resolve-order.ts';
import { nameOf } from '../../../lib/buildpacks/store-reader.ts';
import { aBuildpack, aCatalogue, offers, ordering } from './catalogue.ts';

const names = (
  order: Parameters<typeof resolveOrder>[0],
  ...store: Parameters<typeof offers>[1][]
): readonly string[] =>
  resolveOrder(order, aCatalogue({ store: offers('s', ...store) })).buildpacks.map(({ buildpack }) =>
    nameOf(buildpack),
  );

const asking = (...ids: readonly string[]) => [{ group: ids.map((id) => ({ id })) }];

describe('an order', () => {
  it('04#66 brings in what composite buildpacks order, however deep', () => {
    const nested = aBuildpack('nested@1', ordering('meta@1'));
    const meta = aBuildpack('meta@1', ordering('a@1', 'b@1'));
    expect(names(asking('nested'), nested, meta, 'a@1', 'b@1', 'c@1').toSorted()).toEqual([
      'a@1',
      'b@1',
      'meta@1',
      'nested@1',
    ]);
  });

  it('04#65 04#67 knows digest, diffID, size and credentials of every layer without asking a registry', () => {
    const engine = { digest: 'sha256:d', diffId: 'sha256:i', size: 7, storeImage: { image: 'reg.io/engine' } };
    const store = offers('account', aBuildpack('engine@1', engine));
    const [layer] = resolveOrder(asking('engine'), aCatalogue({ store })).buildpacks;
    expect(layer).toMatchObject({ buildpack: engine, account: { namespace: 'ns', serviceAccount: 'account' } });
  });

  it('04#70 has the largest layers first, and of equal ones the higher id and version', () => {
    const sized = [aBuildpack('1@v1'), aBuildpack('2@v2', { size: 10 }), aBuildpack('3@v3', { size: 100 })];
    expect(names(asking('4', '1', '2', '3').map(withVersions), ...sized, aBuildpack('4@v4', { size: 100 }))).toEqual([
      '4@v4',
      '3@v3',
      '2@v2',
      '1@v1',
    ]);
  });

  it('04#93 says the version that was found, and optional only where the builder says so', () => {
    const { order } = resolveOrder(
      [{ group: [{ id: 'a' }, { id: 'b', optional: true }] }],
      aCatalogue({ store: offers('s', 'a@1', 'a@2', 'b@3') }),
    );
    expect(order).toEqual([
      {
        group: [
          { id: 'a', version: '2', optional: false },
          { id: 'b', version: '3', optional: true },
        ],
      },
    ]);
  });

  it('knows what a group cannot do without, and the first way there', () => {
    const meta = aBuildpack('meta@1', {
      order: [
        {
          group: [
            { id: 'a', version: '1' },
            { id: 'b', version: '1', optional: true },
          ],
        },
      ],
    });
    const order = [
      { group: [{ id: 'c', optional: true }, { id: 'meta' }] },
      { group: [{ id: 'meta', optional: true }, { id: 'c' }] },
    ];
    expect(resolveOrder(order, aCatalogue({ store: offers('s', meta, 'a@1', 'b@1', 'c@1') })).needed).toEqual([
      { name: 'a@1', path: 'group 1 → meta@1 → a@1' },
      { name: 'c@1', path: 'group 2 → c@1' },
    ]);
  });

  it('says what it has twice, and where', () => {
    const said = (order: Parameters<typeof resolveOrder>[0], ...store: Parameters<typeof offers>[1][]) =>
      resolveOrder(order, aCatalogue({ store: offers('s', ...store) })).duplicates;
    const meta = aBuildpack('meta@1', ordering('a@1', 'b@1', 'a@2'));
    expect(said([{ group: [{ id: 'a', version: '1' }, { id: 'b' }, { id: 'a' }] }], 'a@1', 'a@2', 'b@1')).toBe(
      'group 1 has a more than once, the first counts',
    );
    expect(
      said([{ group: [{ id: 'b' }] }, { group: [{ id: 'meta', optional: true }] }], meta, 'a@1', 'a@2', 'b@1'),
    ).toBe('group 2 → meta@1 → group 1 has a more than once, the first counts');
    const [one, two] = [aBuildpack('a@1', { diffId: '1', homepage: 'x' }), aBuildpack('a@1', { diffId: '2' })];
    const catalogue = aCatalogue({
      store: offers('s', two),
      buildpacks: [{ name: 'own', offers: offers('s', one) }],
    });
    const both = [{ group: [{ kind: 'Buildpack', name: 'own' }] }, { group: [{ id: 'a' }] }];
    expect(resolveOrder(both, catalogue).duplicates).toBe(
      'a@1 is there 2 times with other content, one hides the others',
    );
    expect(said(asking('meta', 'b'), aBuildpack('meta@1', ordering('b@1')), 'b@1')).toBe('');
    const many = Array.from({ length: 5 }, () => ({ group: [{ id: 'a' }, { id: 'a' }] }));
    expect(said(many, 'a@1')).toMatch(/^group 1 .*; group 2 .*; group 3 .*; and 2 more$/);
  });

  it('names the way to a nested buildpack that cannot be found', () => {
    const nested = aBuildpack('nested@1', ordering('meta@1'));
    const meta = aBuildpack('meta@1', ordering('gone@2'));
    expect(() => names(asking('nested'), nested, meta)).toThrow(
      "could not find buildpack with id 'gone', ordered by nested@1 → meta@1",
    );
  });

  it('names the circle when composite buildpacks order each other', () => {
    const [a, b] = [aBuildpack('a@1', ordering('b@1')), aBuildpack('b@1', ordering('c@1'))];
    const c = aBuildpack('c@1', ordering('b@1'));
    expect(() => names(asking('a'), a, b, c)).toThrow('the order of buildpacks is a circle: b@1 → c@1 → b@1');
  });

  it('refuses what is nested deeper than anybody means', () => {
    const chain = Array.from({ length: 300 }, (_, i) => aBuildpack(`l${i}@1`, ordering(`l${i + 1}@1`)));
    expect(() => names(asking('l0'), ...chain)).toThrow('more than 100 deep: l0@1 → l1@1 → l2@1 → …');
  });

  it('is resolved in time however often buildpacks repeat', () => {
    const levels = Array.from({ length: 40 }, (_, i) => aBuildpack(`l${i}@1`, ordering(`l${i + 1}@1`, `l${i + 1}@1`)));
    expect(names(asking('l0'), ...levels, 'l40@1')).toHaveLength(41);
  });
});

function withVersions({ group }: { readonly group: readonly { readonly id: string }[] }) {
  return { group: group.map(({ id }) => ({ id, version: `v${id}` })) };
}
