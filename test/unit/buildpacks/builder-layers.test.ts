import * as fc from 'fast-check';
import { unpackTar } from 'modern-tar';
import { describe, expect, it } from 'vitest';
import { directoriesTar, orderTar, stackTar } from '../../../lib/buildpacks/builder-layers.ts';
import { orderToml, stackToml } from '../../../lib/buildpacks/toml.ts';
import { digestOf } from '../../../lib/oci/digest.ts';

const ref = (id: string, version: string, optional = false) => ({ id, version, optional });

describe('layers of a builder', () => {
  it.each([
    [4000, 3000, 'b7118c9ed909a0ac159970e55fa5835d5b0bf632f6c80918c2aa37ecd835af1e'],
    [1000, 1000, '6aa3691a73805f608e5fce69fb6bc89aec8362f58a6b4be2682515e9cfa3cc1a'],
    [1001, 1000, '6c5acac79ce0baf7e7a2dfdfe757cd55406a2dcdaed7265e4bbd7b5ead1009a8'],
    [1002, 1000, '9d7e0131f3f1db58805edf318a5830aee3c029dd8c24a7abf86947813eed699b'],
    [2000, 2000, '7755b972f0b4f49de73ef5114fb3ba9c69d80f217e80da99f56f0d0a5dcb3d70'],
    // Made by Go's archive/tar: ids that do not fit a USTAR header.
    [1000650000, 3000, 'f50402a966f12fa5dd044efc318cb242e40f8dc1432b7beb8d53721a5c87cb10'],
    [1000650000, 1000650001, '5f4333867625586581e3aa4f971725d6fdc7d45834902c9f87ef2e7aed19e592'],
  ])('04#71 directories of user %i, group %i have kpack’s diffID', (userId, groupId, digest) => {
    expect(digestOf(directoriesTar({ userId, groupId }))).toBe(`sha256:${digest}`);
  });

  it('04#72 stack.toml and order.toml have kpack’s diffIDs', () => {
    const runImage =
      'example.com/custom-builder:clusterbuilder-custom-builder-run-image@sha256:0fd6395e4fe38a0c089665cbe10f52fb26fc64b4b15e672ada412bd7ab5499a0';
    const order = [
      { group: [ref('io.buildpack.1', 'v1'), ref('io.buildpack.2', 'v2', true), ref('io.buildpack.4', 'v4')] },
    ];
    const two = [{ group: [ref('a/b', '1.0.0')] }, { group: [ref('c', '', true), ref('d', '2')] }];
    expect([stackTar(runImage), orderTar(order), orderTar(two), orderTar([])].map(digestOf)).toEqual([
      'sha256:941fe13da9b952e2d564a0102ca2606f3aec2295cd16b6652ff60ce9e9aaebd1',
      'sha256:a4ae357595f7f744d8478f0b1d0c34c8e952d9bbea506b13be1afdda50773e07',
      'sha256:dda3c08aa6b308e96c9df608e929875994ecf71699fc9850fb64cd4211dc9dc0',
      'sha256:539ea5537e2803256a4d95a351a3673b2fd2f8ce04f1c2e7981016718d642dc7',
    ]);
  });

  it('is read by others as it was meant, whoever owns its directories', async () => {
    const id = fc.oneof(fc.nat(0o7777777 + 2), fc.maxSafeNat());
    await fc.assert(
      fc.asyncProperty(id, id, async (userId, groupId) => {
        const entries = await unpackTar(directoriesTar({ userId, groupId }), { strict: true });
        expect(entries.map(({ header: { name, uid, gid, mode } }) => [name, uid, gid, mode])).toEqual([
          ['/workspace', userId, groupId, 0o755],
          ['/layers', userId, groupId, 0o755],
          ...['/cnb', '/cnb/buildpacks', '/platform', '/platform/env'].map((name) => [name, 0, 0, 0o755]),
        ]);
      }),
      { numRuns: 100 },
    );
  });

  it('an empty group and an empty order are said as such', () => {
    expect(orderToml([{ group: [] }])).toBe('[[order]]\n  group = []\n');
    expect(orderToml([])).toBe('order = []\n');
  });

  it('escapes what a basic string cannot hold', () => {
    expect(stackToml('a"b\\c\u0001\u007f\t€')).toBe('[run-image]\n  image = "a\\"b\\\\c\\u0001\\u007f\\t€"\n');
  });
});
