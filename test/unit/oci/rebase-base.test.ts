/** Where an app's own layers begin, whatever layers are equal. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { baseLength, UnsafeRebaseError } from '../../../lib/oci/base-length.ts';
import { digestOf } from '../../../lib/oci/digest.ts';
import { imageFrom, readImage } from '../../../lib/oci/image.ts';
import { parseTag, printReference, withDigest } from '../../../lib/oci/reference.ts';
import { someTag } from '../../support/registry-suite.ts';
import { storeImage } from '../../support/stored-image.ts';
import { rebaseWorld, registry, stack } from './rebase-world.ts';

const the = rebaseWorld();
const { store, rebase } = the;

describe('the old base of a rebase', () => {
  const buildLabel = 'io.buildpacks.build.metadata';
  const sha = (layer: string) => ({ sha: digestOf(`tar of ${layer}`) });
  /** The label of an image whose exporter added these layers, each by its own kind of entry. */
  const saying = (top: string, added: readonly string[], reference = 'old') =>
    JSON.stringify({
      app: added.slice(1, 2).map(sha),
      buildpacks: [
        { key: 'bp', version: '1', layers: Object.fromEntries(added.slice(0, 1).map((one) => [one, sha(one)])) },
      ],
      ...Object.fromEntries(
        ['sbom', 'launcher', 'config', 'process-types'].flatMap((key, n) =>
          added[n + 2] === undefined ? [] : [[key, sha(added[n + 2] ?? '')]],
        ),
      ),
      runImage: { topLayer: digestOf(`tar of ${top}`), reference },
    });
  const oldBase = async (layers: readonly string[]): Promise<string> => {
    const old = someTag(the.fake.host);
    storeImage(the.fake.store, old, { layers });
    return printReference((await readImage(registry, old)).reference);
  };
  const rebased = async (layers: readonly string[], label: string, labels: Readonly<Record<string, string>> = {}) => {
    store(
      { layers, labels: { ...stack, 'io.buildpacks.lifecycle.metadata': label, ...labels } },
      { layers: ['new 1', 'new 2'], labels: stack },
    );
    const { content } = await rebase();
    const names = new Map([...layers, 'new 1', 'new 2'].map((name) => [digestOf(`tar of ${name}`) as string, name]));
    return content.diffIds.map((diffId) => names.get(diffId));
  };

  it.each<readonly [string, readonly string[], readonly string[], readonly string[]]>([
    ['its last layer twice, one after the other', ['os', 'e', 'e', 'bp', 'app'], ['bp', 'app'], ['bp', 'app']],
    [
      'its last layer three times, with others between',
      ['e', 'os', 'e', 'x', 'e', 'bp', 'app'],
      ['bp', 'app'],
      ['bp', 'app'],
    ],
    ['nothing but its last layer', ['e', 'e', 'e', 'bp', 'app'], ['bp', 'app'], ['bp', 'app']],
    ['a last layer that is an app’s too', ['os', 'e', 'bp', 'e', 'app'], ['bp', 'e', 'app'], ['bp', 'e', 'app']],
    ['a last layer that the app begins with', ['os', 'e', 'e', 'e', 'app'], ['e', 'app'], ['e', 'app']],
    ['layers that an app layer is equal to', ['x', 'os', 'e', 'e', 'x', 'app'], ['x', 'app'], ['x', 'app']],
    [
      'its last layer once',
      ['os', 'e', 'bp', 'app', 's', 'l', 'c', 'p'],
      ['bp', 'app', 's', 'l', 'c', 'p'],
      ['bp', 'app', 's', 'l', 'c', 'p'],
    ],
  ])('that has %s is left behind whole, and nothing of the app', async (_, layers, added, kept) => {
    the.fake.clearRequests();
    expect(await rebased(layers, saying('e', added))).toEqual(['new 1', 'new 2', ...kept]);
  });

  it('is read when the label does not account for all layers', async () => {
    const reference = await oldBase(['os', 'e', 'e']);
    expect(await rebased(['os', 'e', 'e', 'e', 'x', 'app'], saying('e', ['app'], reference))).toEqual([
      'new 1',
      'new 2',
      'e',
      'x',
      'app',
    ]);
  });

  it('is read when layers of image extensions lie above it, which nothing names', async () => {
    const extended = { [buildLabel]: JSON.stringify({ extensions: [{ id: 'e', version: '1' }] }) };
    const reference = await oldBase(['os', 'e']);
    const layers = ['os', 'e', 'e', 'bp', 'app'];
    expect(await rebased(layers, saying('e', ['bp', 'app'], reference), extended)).toEqual([
      'new 1',
      'new 2',
      'e',
      'bp',
      'app',
    ]);
    await expect(rebased(layers, saying('e', ['bp', 'app']), extended)).rejects.toBeInstanceOf(UnsafeRebaseError);
  });

  it('that cannot be read ends below the first layer of the app', async () => {
    expect(await rebased(['os', 'e', 'e', 'x', 'app'], saying('e', ['app']))).toEqual(['new 1', 'new 2', 'x', 'app']);
  });

  it.each<readonly [string, readonly string[], string]>([
    ['no layer of the app is known', ['os', 'e', 'e', 'bp', 'app'], saying('e', [])],
    [
      'a layer of the app is equal to it, and others are not known',
      ['os', 'e', 'e', 'e', 'x', 'app'],
      saying('e', ['e', 'app']),
    ],
    ['layers of the app lie below it', ['os', 'bp', 'app', 'e'], saying('e', ['bp', 'app'])],
    ['it is not in the image', ['os', 'bp', 'app'], saying('e', ['bp', 'app'])],
  ])('is not guessed at when %s: no tag moves, and building from source is left', async (_, layers, label) => {
    await expect(rebased(layers, label)).rejects.toBeInstanceOf(UnsafeRebaseError);
    expect((await readImage(registry, the.tag)).diffIds).toHaveLength(layers.length);
  });

  it('that is another than the one the label names is not guessed at', async () => {
    const reference = await oldBase(['other', 'e', 'e']);
    await expect(rebased(['os', 'e', 'e', 'x', 'app'], saying('e', ['x'], reference))).rejects.toThrow(
      'do not begin with those of the run image',
    );
  });

  it('costs no request where the label tells', async () => {
    const reference = await oldBase(['os', 'e', 'e']);
    the.fake.clearRequests();
    await rebased(['os', 'e', 'e', 'bp', 'app'], saying('e', ['bp', 'app'], reference));
    expect(the.fake.requests.filter(({ method }) => method === 'GET')).toHaveLength(4);
  });

  const numbers = fc.array(fc.constantFrom('e', 'x', 'y', 'z'), { minLength: 1, maxLength: 6 });
  it('is found wherever the exporter says all that it added, whatever layers are equal', () => {
    fc.assert(
      fc.property(numbers, numbers, (base, own) => {
        const id = (name: string) => digestOf(`tar of ${name}`);
        const image = {
          ...imageFrom(
            withDigest(parseTag('example.com/app:v1'), id('m')),
            'm',
            { config: { mediaType: 'm', size: 1, digest: id('c') }, layers: [] },
            {},
          ),
          diffIds: [...base, ...own].map(id),
          labels: {
            'io.buildpacks.lifecycle.metadata': JSON.stringify({
              app: own.map((name) => ({ sha: id(name) })),
              runImage: { topLayer: id(base.at(-1) ?? '') },
            }),
          },
        };
        expect(baseLength(image)).toBe(base.length);
      }),
    );
  });
});
