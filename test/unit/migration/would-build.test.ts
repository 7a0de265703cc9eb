/** A move starts no Build that kpack would not have started: what kpack really left, looked at with the rules of kpackless. */
import { describe, expect, it } from 'vitest';
import type { Build } from '../../../lib/api/build.ts';
import type { StoredImage } from '../../../lib/api/defaults.ts';
import { leftWithBuilderAnnotation } from '../../../lib/api/labels.ts';
import type { SourceResolver } from '../../../lib/api/source-resolver.ts';
import type { ImageBuilder } from '../../../lib/images/image-builder.ts';
import { type AfterMove, afterMove, type KpackObjects } from '../../../lib/migration/would-build.ts';
import { goldenFiles } from '../../support/golden.ts';
import { recorded } from '../../support/recorded-cluster.ts';

const now = new Date('2026-11-30T12:00:00Z');

const objectsOf = (...files: readonly string[]): KpackObjects => {
  const all = recorded(...files);
  const of = (...wanted: readonly string[]): readonly object[] => all.filter(({ kind }) => wanted.includes(kind));
  return {
    images: of('Image') as readonly StoredImage[],
    builds: of('Build') as readonly Build[],
    resolvers: of('SourceResolver') as readonly SourceResolver[],
    builders: of('Builder', 'ClusterBuilder') as readonly ImageBuilder[],
  };
};
const noted = (build: Build, builder: string): Build => ({
  ...build,
  metadata: { ...build.metadata, annotations: { ...build.metadata.annotations, [leftWithBuilderAnnotation]: builder } },
});
const comesOf = (objects: KpackObjects): readonly Pick<AfterMove, 'image' | 'comes'>[] =>
  afterMove(objects, now).map(({ image, comes }) => ({ image, comes }));

describe('an Image of kpack’s', () => {
  it.each(goldenFiles('flow').filter((file) => !file.startsWith('8-')))('is not built again after %s', (file) => {
    expect(comesOf(objectsOf(`flow/${file}`))).toStrictEqual([{ image: 'Image gold-flow/flow', comes: 'nothing' }]);
  });

  it('whose last Build failed with another builder than there is now is left, as kpack leaves it, once that is noted', () => {
    const objects = objectsOf('flow/8-build-image-changed-after-failure.json');
    const [found] = afterMove(objects, now);
    expect(found).toMatchObject({ comes: 'left', left: { build: { metadata: { name: 'flow-build-7' } } } });
    const builds = objects.builds.map((one) =>
      one.metadata.name === 'flow-build-7' ? noted(one, found?.left?.builder ?? '') : one,
    );
    expect(comesOf({ ...objects, builds })).toStrictEqual([{ image: 'Image gold-flow/flow', comes: 'nothing' }]);
  });

  it('whose Build runs keeps it', () => {
    const all = comesOf(objectsOf('default/_world.json', ...goldenFiles('default').map((file) => `default/${file}`)));
    expect(all.length).toBeGreaterThan(30);
    expect(all.filter(({ comes }) => comes === 'build')).toStrictEqual([]);
    expect(all.filter(({ comes }) => comes === 'running').length).toBeGreaterThan(25);
  });

  it('is told why nothing comes, whatever is missing or wrong', () => {
    const objects = objectsOf('flow/6-buildpack-changed.json');
    const [image] = objects.images;
    const whyOf = (more: Partial<KpackObjects>): string | undefined => afterMove({ ...objects, ...more }, now)[0]?.why;
    expect(whyOf({})).toBe('it is up to date');
    expect(whyOf({ builders: [] })).toBe('ClusterBuilder cb is not there');
    expect(whyOf({ builders: objects.builders.map((one) => ({ ...one, status: undefined })) })).toBe(
      'ClusterBuilder cb is not ready',
    );
    expect(whyOf({ resolvers: [] })).toBe('its source is not resolved');
    expect(
      whyOf({
        images: [{ ...image, spec: { ...image?.spec, builder: { kind: 'Bulider', name: 'cb' } } } as StoredImage],
      }),
    ).toContain('unknown builder type: Bulider');
  });

  it('05#27 whose Builds are from before lifecycle versions were noted is counted as built again, and can be held', () => {
    const objects = objectsOf('flow/6-buildpack-changed.json');
    const builds = objects.builds.map((one) => ({ ...one, status: { ...one.status, lifecycleVersion: undefined } }));
    const builders = objects.builders.map((one) => ({
      ...one,
      status: { ...one.status, latestImage: 'registry.example/cb@sha256:of-another-release' },
    })) as readonly ImageBuilder[];
    const images = objects.images.map((one) => ({
      ...one,
      metadata: { ...one.metadata, annotations: { 'image.kpack.io/paused': 'true' } },
    }));
    expect(afterMove({ ...objects, builds, builders }, now)).toMatchObject([{ comes: 'build', why: 'LIFECYCLE' }]);
    expect(afterMove({ ...objects, builds, builders, images }, now)).toMatchObject([{ comes: 'nothing' }]);
  });

  it('that asks for a Build gets it, unless its Builds are paused', () => {
    const objects = objectsOf('flow/6-buildpack-changed.json');
    const asked = objects.images.map((one) => ({
      ...one,
      metadata: { ...one.metadata, annotations: { 'image.kpack.io/retry': '1' } },
    }));
    expect(afterMove({ ...objects, images: asked }, now)).toMatchObject([{ comes: 'build', why: 'TRIGGER' }]);
    const paused = asked.map((one) => ({
      ...one,
      metadata: { ...one.metadata, annotations: { ...one.metadata.annotations, 'image.kpack.io/paused': 'true' } },
    }));
    expect(afterMove({ ...objects, images: paused }, now)).toMatchObject([
      { comes: 'nothing', why: 'its Builds are paused; one is due: TRIGGER' },
    ]);
  });
});
