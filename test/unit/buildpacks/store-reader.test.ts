import { describe, expect, it } from 'vitest';
import { buildpacksIn } from '../../../lib/buildpacks/store-reader.ts';
import { anImage, sha } from './readable.ts';

const layersLabel = 'io.buildpacks.buildpack.layers';

const packageOf = (layers: Readonly<Record<string, unknown>>, labels: Readonly<Record<string, string>> = {}) =>
  anImage({
    labels: { [layersLabel]: JSON.stringify(layers), ...labels },
    diffIds: [sha('1'), sha('2')],
    layers: [
      { digest: sha('c'), size: 10 },
      { digest: sha('d'), size: 20 },
    ],
  });

const simple = { api: '0.10', layerDiffID: sha('2'), stacks: [{ id: '*' }] };

describe('buildpacks in a store', () => {
  it('04#15 carry their buildpackage, source, layer, api, home page, stacks and order', () => {
    const meta = {
      api: '0.8',
      layerDiffID: sha('1'),
      homepage: 'https://meta.example',
      order: [{ group: [{ id: 'simple', version: '1', optional: true }] }],
      name: 'dropped',
    };
    const content = packageOf(
      { meta: { '2': meta }, simple: { '1': { ...simple, stacks: [{ id: 's', mixins: ['m'] }] } } },
      { 'io.buildpacks.buildpackage.metadata': '{"id":"meta","version":"2","homepage":"h","stacks":[]}' },
    );
    const buildpackage = { id: 'meta', version: '2', homepage: 'h' };
    expect(buildpacksIn([{ image: 'reg/meta:2', content }])).toEqual([
      {
        id: 'meta',
        version: '2',
        buildpackage,
        storeImage: { image: 'reg/meta:2' },
        diffId: sha('1'),
        digest: sha('c'),
        size: 10,
        api: '0.8',
        homepage: 'https://meta.example',
        order: [{ group: [{ id: 'simple', version: '1', optional: true }] }],
      },
      {
        id: 'simple',
        version: '1',
        buildpackage,
        storeImage: { image: 'reg/meta:2' },
        diffId: sha('2'),
        digest: sha('d'),
        size: 20,
        api: '0.10',
        stacks: [{ id: 's', mixins: ['m'] }],
      },
    ]);
  });

  it('04#17 are kept when several sources hold them, ordered by source', () => {
    const content = packageOf({ simple: { '0.0.1': simple } });
    const images = ['reg/c', 'reg/a', 'reg/b'].map((image) => ({ image, content }));
    expect(buildpacksIn(images).map(({ storeImage }) => storeImage?.image)).toEqual(['reg/a', 'reg/b', 'reg/c']);
  });

  it('04#16 are listed in the same order whatever order they are read in', () => {
    const content = packageOf({ b: { '1': simple, '2': simple }, a: { '1': simple } });
    const sources = ['x', 'y', 'z'].map((image) => ({ image, content }));
    const expected = JSON.stringify(buildpacksIn(sources));
    for (let turn = 0; turn < 51; turn += 1) {
      sources.push(...sources.splice(0, turn % 3));
      expect(JSON.stringify(buildpacksIn(sources))).toBe(expected);
    }
  });

  it('04#18 have an empty buildpackage when the image is none', () => {
    const [entry] = buildpacksIn([{ image: 'reg/a', content: packageOf({ simple: { '1': simple } }) }]);
    expect(entry?.buildpackage).toEqual({});
  });

  it('04#22 are sorted as text, so 1.10.0 comes before 1.9.0', () => {
    const content = packageOf({ a: { '1.9.0': simple, '1.10.0': simple } });
    expect(buildpacksIn([{ image: 'x', content }]).map(({ version }) => version)).toEqual(['1.10.0', '1.9.0']);
  });

  it('04#19 need the layers label', () => {
    expect(() => buildpacksIn([{ image: 'x', content: anImage() }])).toThrow(`could not find label ${layersLabel}`);
  });

  it.each([
    ['abc', 'unable to parse layer diffId for id@v: cannot parse hash: "abc"'],
    ['sha256:xyz', 'unable to parse layer diffId for id@v: found non-hex character in hash: x'],
    ['md5:00', 'unable to parse layer diffId for id@v: unsupported hash: "md5"'],
    ['sha256:00', 'unable to parse layer diffId for id@v: wrong number of hex digits for sha256: 00'],
    [sha('9'), `unable to get layer id@v: unknown diffID ${sha('9')}`],
  ])('04#20 04#21 refuse the diffID %s', (layerDiffID, message) => {
    const content = packageOf({ id: { v: { ...simple, layerDiffID } } });
    expect(() => buildpacksIn([{ image: 'x', content }])).toThrow(message);
  });

  it('refuse an image whose config and manifest count layers differently', () => {
    const content = { ...packageOf({ id: { v: simple } }), layers: [{ digest: sha('c'), size: 1 }] };
    expect(() => buildpacksIn([{ image: 'x', content }])).toThrow('mismatched fs layers (1) and diff ids (2)');
  });

  it('say where a label is malformed, without crashing', () => {
    const broken = anImage({ labels: { [layersLabel]: '{"a":{"1":{"order":7}}}' } });
    expect(() => buildpacksIn([{ image: 'x', content: broken }])).toThrow(/malformed at a\.1\.order/);
    const notJson = anImage({ labels: { [layersLabel]: '{' } });
    expect(() => buildpacksIn([{ image: 'x', content: notJson }])).toThrow(/is not JSON/);
  });
});
