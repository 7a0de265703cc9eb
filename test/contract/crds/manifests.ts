/** Manifests of public repositories, with what kpack makes of each (test/recordings/manifests.json). */
import { describe, expect, it } from 'vitest';
import { golden } from '../../support/golden.ts';
import type { KpackCluster } from '../../support/kpack-cluster.ts';
import { made, type Sent } from './replay.ts';

interface Manifest {
  readonly n: number;
  readonly object: Sent;
  readonly kpackAccepts: boolean;
  readonly kpackAddsByDefault: Readonly<Record<string, unknown>>;
  readonly kpackDropsUnknown: readonly string[];
}

const manifests = golden('manifests.json') as readonly Manifest[];

const titled = manifests.map((manifest) => ({
  ...manifest,
  title: `${manifest.n}: ${manifest.object.kind} in ${manifest.object.apiVersion}`,
}));

const valueAt = (value: unknown, path: string): unknown =>
  path.split('.').reduce<unknown>((inner, name) => (inner as Record<string, unknown> | undefined)?.[name], value);

/** Defaults that a schema cannot state: whoever reconciles decides on the same (lib/api/defaults.ts, docs/api.md "Defaults"). */
const decidedLater: readonly { readonly field: RegExp; readonly because: string }[] = [
  { field: /^cache\b/, because: 'whether there is a default StorageClass is no part of the object' },
  {
    field: /^serviceAccountName$/,
    because: 'a Builder may say serviceAccount in its place, which a default would hide',
  },
];

const isDecidedLater = (kind: string, path: string): boolean =>
  decidedLater.some(({ field }) => field.test(path)) && (path !== 'serviceAccountName' || kind === 'Builder');

/** The suite, on a cluster that is there when its tests run. */
export const describeManifests = (cluster: () => KpackCluster): void => {
  describe('manifests of public repositories', () => {
    it.each(titled.filter(({ kpackAccepts }) => kpackAccepts))(
      '$title is accepted, gets kpack’s defaults and loses what kpack does not know',
      async ({ object, kpackAddsByDefault, kpackDropsUnknown }) => {
        const answer = await made(cluster(), object);
        expect(answer.message).toBe('');
        const { spec } = answer.body;
        const defaults = Object.entries(kpackAddsByDefault).filter(([path]) => !isDecidedLater(object.kind, path));
        expect(defaults.map(([path]) => [path, valueAt(spec, path)])).toEqual(defaults);
        expect(kpackDropsUnknown.filter((path) => valueAt(spec, path) !== undefined)).toEqual([]);
      },
    );

    it.each(titled.filter(({ kpackAccepts }) => !kpackAccepts))('$title is refused', async ({ object }) => {
      expect((await made(cluster(), object)).status).toBe(422);
    });

    it('are all there', () => {
      expect(titled.length).toBeGreaterThan(140);
    });
  });
};
