/** Labels of images and orders of buildpacks: what a tenant's registry says of them is read in a time that grows as they do. */
import { describe, expect, it } from 'vitest';
import type { BuildpackStatus } from '../../lib/api/buildpacks.ts';
import { duplicatesIn } from '../../lib/buildpacks/duplicates.ts';
import type { Offer } from '../../lib/buildpacks/offers.ts';
import { resolveOrder } from '../../lib/buildpacks/resolve-order.ts';
import { buildpacksIn } from '../../lib/buildpacks/store-reader.ts';
import { assertTargetsFit, targetsIn } from '../../lib/buildpacks/targets.ts';
import { imageFrom } from '../../lib/oci/image.ts';
import { rebaseRefusal } from '../../lib/oci/rebase-check.ts';
import { parseRepository, withDigest } from '../../lib/oci/reference.ts';
import { anImage, sha } from '../unit/buildpacks/readable.ts';
import { areQuick } from './processor-time.ts';

const kib = 1024;
const mib = 1024 * kib;
const repository = parseRepository('registry.example.com/team/app');
const named = (count: number) => Array.from({ length: count }, (_, n) => `bp${n}`);
const offer = (buildpack: BuildpackStatus): Offer => ({ buildpack, account: { namespace: 'n', serviceAccount: 's' } });
const catalogueOf = (buildpacks: readonly BuildpackStatus[]) => ({
  buildpacks: [],
  clusterBuildpacks: [],
  store: buildpacks.map(offer),
});
const labelled = (labels: Readonly<Record<string, string>>, more = {}) => anImage({ labels, ...more });
const layersLabel = 'io.buildpacks.buildpack.layers';

describe('a label of an image', () => {
  const entry = { api: '0.10', layerDiffID: sha('1') };
  const many = Object.fromEntries(named(6000).map((id) => [id, { '1': entry }]));
  const diffIds = Array.from({ length: 12_000 }, (_, n) => `sha256:${String(n).padStart(64, '0')}`);
  const longLabel = JSON.stringify({ id: 'a', version: '1', homepage: 'h'.repeat(900 * kib) });

  areQuick([
    [
      'of targets',
      () =>
        assertTargetsFit('a@1', 'p', [{ os: `${'*/'.repeat(128 * kib)}x`, arch: '', variant: '', distros: [] }], {
          os: 'linux',
          architecture: 'amd64',
          variant: '*/'.repeat(128 * kib),
          distro: { name: '', version: '' },
        }),
    ],
    [
      'of layers, all at the end of the list of diffIDs',
      () =>
        buildpacksIn([
          {
            image: 'i',
            content: labelled({ [layersLabel]: JSON.stringify(many) }, { diffIds: [...diffIds, sha('1')], layers: [] }),
          },
        ]),
    ],
    [
      'of a package, beside thousands of buildpacks',
      () =>
        buildpacksIn([
          {
            image: 'i',
            content: labelled(
              { [layersLabel]: JSON.stringify(many), 'io.buildpacks.buildpackage.metadata': longLabel },
              { diffIds: [sha('1')], layers: [{ digest: sha('2'), size: 1 }] },
            ),
          },
        ]),
    ],
    ['of brackets', () => targetsIn(labelled({ [layersLabel]: '['.repeat(mib) }))],
    [
      'of 200,000 keys',
      () =>
        targetsIn(
          labelled({
            [layersLabel]: `{${named(90_000)
              .map((id) => `"${id}":{}`)
              .join(',')}}`,
          }),
        ),
    ],
    [
      'of mixins',
      () => {
        const image = (mixins: readonly string[]) =>
          imageFrom(
            withDigest(repository, sha('1')),
            '',
            { config: { digest: sha('1'), size: 1 } },
            {
              config: {
                Labels: { 'io.buildpacks.stack.id': 's', 'io.buildpacks.stack.mixins': JSON.stringify(mixins) },
              },
            },
          );
        return rebaseRefusal(image(named(50_000).map((id) => `x${id}`)), image(named(50_000)));
      },
    ],
  ]);

  it('longer than a label can be makes the image one that cannot be read', () => {
    const config = { config: { Labels: { a: 'x'.repeat(mib + 1) } } };
    expect(() =>
      imageFrom(withDigest(repository, sha('1')), '', { config: { digest: sha('1'), size: 1 } }, config),
    ).toThrow('label a of an image has more than 1048576 characters');
  });
});

describe('an order of buildpacks', () => {
  const groupOf = (ids: readonly string[]) => [{ group: ids.map((id) => ({ id })) }];

  areQuick([
    [
      'of the same buildpack 100,000 times',
      () => duplicatesIn([{ group: Array.from({ length: 100_000 }, (_, n) => ({ id: `a${n}` })) }], [], []),
    ],
    [
      'that names each of 10,000 buildpacks',
      () => resolveOrder(groupOf(named(10_000)), catalogueOf(named(10_000).map((id) => ({ id, version: '1.0.0' })))),
    ],
    [
      'in which a buildpack has 5,000 versions and is named 5,000 times',
      () =>
        resolveOrder(
          groupOf(Array.from({ length: 5000 }, () => 'a')),
          catalogueOf(named(5000).map((_, n) => ({ id: 'a', version: `${n}.0.0` }))),
        ),
    ],
    [
      'in which each of 90 orders all behind it',
      () => {
        const ids = named(90);
        const all = ids.map((id, n) => ({ id, version: '1.0.0', order: groupOf(ids.slice(n + 1)) }));
        return resolveOrder(groupOf(['bp0']), catalogueOf([...all, { id: 'leaf', version: '1.0.0' }]));
      },
    ],
    [
      'of 30 composites with 1,000 leaves each',
      () => {
        const leaves = named(1000);
        const composites = named(30).map((id, n) => ({
          id: `c${id}`,
          version: '1.0.0',
          order: groupOf([...leaves, ...(n < 29 ? [`cbp${n + 1}`] : [])]),
        }));
        return resolveOrder(
          groupOf(['cbp0']),
          catalogueOf([...composites, ...leaves.map((id) => ({ id, version: '1.0.0' }))]),
        );
      },
    ],
  ]);

  it('that is a chain of thousands, given from its end, is refused as too deep and overflows no stack', () => {
    const ids = named(5000);
    const chain = ids.map((id, n) => ({ id, version: '1.0.0', ...(n > 0 && { order: groupOf([`bp${n - 1}`]) }) }));
    expect(() =>
      resolveOrder(
        ids.map((id) => ({ group: [{ id }] })),
        catalogueOf(chain),
      ),
    ).toThrow(/more than 100 deep/);
  });
});
