/** What a changed builder means, after a success and after a failure: cases 57–58, 63–72, 84–85, 88 of spec 02 §11.3, and DESIGN §4. */
import { describe, expect, it } from 'vitest';
import type { BuildStatus } from '../../../lib/api/build.ts';
import type { BuilderStatus } from '../../../lib/api/builder.ts';
import { PermanentError } from '../../../lib/errors/expected.ts';
import { badStatus, digest, goodStatus, revision } from '../../support/image-world.ts';
import {
  additional,
  afterChange,
  type Change,
  changesOf,
  git,
  newBuildpacks,
  newer,
  newLifecycle,
  newRunImage,
} from './after-change.ts';

describe('what the builder offers', () => {
  it.each<[string, Partial<BuilderStatus>]>([
    [
      '02#63 more buildpacks, none of them used',
      {
        builderMetadata: [
          { id: 'bp/node', version: '1.0' },
          { id: 'bp/more', version: '1' },
        ],
      },
    ],
    ['02#66 another homepage', { builderMetadata: [{ id: 'bp/node', version: '1.0', homepage: 'https://x.example' }] }],
    [
      '02#68 the same run image elsewhere',
      { stack: { id: 'stack', runImage: `elsewhere.example/run@${digest('2')}` } },
    ],
    ['02#88 an equal builder in another image', {}],
  ])('%s: no Build', async (_name, offer) => {
    expect((await afterChange({ offer: newer(offer) })).made).toBeUndefined();
  });

  it.each<[string, Partial<BuilderStatus>, readonly Change[]]>([
    [
      '02#64 a used buildpack in another version',
      newBuildpacks,
      [{ reason: 'BUILDPACK', old: [{ id: 'bp/node', version: '1.0' }], new: null }],
    ],
    [
      '02#64 a used buildpack gone',
      { builderMetadata: [] },
      [{ reason: 'BUILDPACK', old: [{ id: 'bp/node', version: '1.0' }], new: null }],
    ],
    ['02#67 another run image', newRunImage, [{ reason: 'STACK', old: digest('2'), new: digest('3') }]],
    ['02#71 another lifecycle', newLifecycle, [{ reason: 'LIFECYCLE', old: '0.21.0', new: '0.22.0' }]],
    [
      '02#85 run image and buildpack',
      { ...newRunImage, ...newBuildpacks },
      [
        { reason: 'BUILDPACK', old: [{ id: 'bp/node', version: '1.0' }], new: null },
        { reason: 'STACK', old: digest('2'), new: digest('3') },
      ],
    ],
  ])('%s', async (_name, offer, changes) => {
    expect((await afterChange({ offer: newer(offer) })).changes).toStrictEqual(changes);
  });

  it('02#65 missing buildpacks are listed by id', async () => {
    const first = {
      ...goodStatus,
      buildMetadata: [
        { id: 'z', version: '1' },
        { id: 'a', version: '2' },
      ],
    };
    const { changes } = await afterChange({ first, offer: newer() });
    expect(changes[0]?.old).toStrictEqual([
      { id: 'a', version: '2' },
      { id: 'z', version: '1' },
    ]);
  });

  it('02#69 a Build without a run image cannot be compared, and stops nothing (kpack fails every pass)', async () => {
    const first = { ...goodStatus, stack: {} } as BuildStatus;
    expect((await afterChange({ first, offer: newer() })).made).toBeUndefined();
    expect((await afterChange({ first, offer: newer(), annotate: { [additional]: '' } })).reason).toBe('TRIGGER');
  });

  it('the run image of its platform, named by an image whose builder names the index, is no change', async () => {
    const first: BuildStatus = { ...goodStatus, stack: { id: 'stack', runImage: `run.example/run@${digest('7')}` } };
    expect((await afterChange({ first, offer: newer() })).made).toBeUndefined();
    expect((await afterChange({ first, offer: newer(newRunImage) })).reason).toBe('STACK');
  });

  it('02#70 a run image that is no reference is said in the condition (kpack says nothing)', async () => {
    const first: BuildStatus = { ...goodStatus, stack: { id: 'stack', runImage: 'NO reference' } };
    const { end, world } = await afterChange({ first, offer: newer() });
    expect(end.outcome).toBeInstanceOf(PermanentError);
    expect(world.ready()?.status).toBe('False');
    expect(world.ready()?.message).toContain('NO reference');
  });

  it('02#72 a Build from before lifecycle versions were noted is repeated when the builder is another', async () => {
    const first = { ...goodStatus, lifecycleVersion: '' };
    expect((await afterChange({ first, offer: newer() })).changes).toStrictEqual([
      { reason: 'LIFECYCLE', old: '', new: '0.21.0' },
    ]);
  });

  it('labels of a lifecycle that its programs contradict make no second Build from the same builder (kpack builds for ever)', async () => {
    const { made, world } = await afterChange({ first: { ...goodStatus, lifecycleVersion: '0.20.0' } });
    expect(made).toBeUndefined();
    expect(world.ready()).toMatchObject({ status: 'True', reason: 'UpToDate' });
    expect(world.ready()?.message).toContain('0.21.0');
    world.offer(newer());
    await world.pass();
    world.finish(2, { ...goodStatus, lifecycleVersion: '0.20.0' });
    await world.pass();
    await world.pass();
    expect(world.builds()).toHaveLength(2);
  });

  it('02#84 all six', async () => {
    const { reason } = await afterChange({
      source: git({ revision: revision('b'), url: 'https://git.example/other' }),
      offer: newer({ ...newRunImage, ...newBuildpacks, ...newLifecycle }),
      annotate: { [additional]: 'x' },
    });
    expect(reason).toBe('TRIGGER,COMMIT,CONFIG,BUILDPACK,STACK,LIFECYCLE');
  });
});

describe('after a failure', () => {
  it.each([
    ['the builder of then is still there', newer(newBuildpacks).latestImage, undefined],
    ['the builder has changed since', `registry.example/builder@${digest('8')}`, 'CONFIG'],
  ])('that kpack left with another builder: %s', async (_when, leftWith, reason) => {
    const annotate = { 'kpackless.io/left-with-builder': leftWith ?? '' };
    const change = await afterChange({ first: badStatus, offer: newer(newBuildpacks), annotate });
    expect(change.reason?.split(',')[0]).toBe(reason);
  });

  it('02#57 nothing changed: it is not repeated', async () => {
    expect((await afterChange({ first: badStatus })).made).toBeUndefined();
  });

  it('02#58 the builder was replaced: it is repeated, once (kpack never does, DESIGN §4)', async () => {
    const offer = newer({ ...newRunImage, ...newBuildpacks, ...newLifecycle });
    const { reason, world } = await afterChange({ first: badStatus, offer });
    expect(reason).toBe('CONFIG');
    world.finish(2, badStatus);
    await world.pass();
    await world.pass();
    expect(world.builds()).toHaveLength(2);
    expect(world.ready()?.reason).toBe('BuildFailed');
  });

  it('a builder that only changed its face is reason enough, and says so as BUILDPACK', async () => {
    const { world } = await afterChange({ annotate: { [additional]: '' } });
    world.finish(2, badStatus);
    world.offer(newer());
    await world.pass();
    expect(changesOf(world.build(3))).toStrictEqual([{ reason: 'BUILDPACK', old: null, new: null }]);
    expect(world.build(3)?.spec.lastBuild?.image).toBe(goodStatus.latestImage);
  });

  it('of a new revision, a new run image rebuilds: a rebase would bring the old revision and pass for the new one', async () => {
    const { world, reason } = await afterChange({ source: git({ revision: revision('b') }) });
    expect(reason).toBe('COMMIT');
    world.finish(2, badStatus);
    world.offer(newer(newRunImage));
    await world.pass();
    expect(changesOf(world.build(3))).toStrictEqual([
      { reason: 'COMMIT', old: revision('a'), new: revision('b') },
      { reason: 'STACK', old: digest('2'), new: digest('3') },
    ]);
  });

  it('of a Build that somebody asked for, a new run image rebuilds too', async () => {
    const { world } = await afterChange({ annotate: { [additional]: '' } });
    world.finish(2, badStatus);
    world.offer(newer(newRunImage));
    await world.pass();
    expect(world.build(3)?.metadata.annotations?.['image.kpack.io/reason']).toBe('BUILDPACK,STACK');
  });

  it('of a rebase, a newer run image rebases', async () => {
    const { world, reason } = await afterChange({ offer: newer(newRunImage) });
    expect(reason).toBe('STACK');
    world.finish(2, badStatus);
    const fourth = { stack: { id: 'stack', runImage: `registry.example/run@${digest('4')}` } };
    world.offer({ latestImage: `registry.example/builder@${digest('8')}`, ...fourth });
    await world.pass();
    expect(world.build(3)?.metadata.annotations?.['image.kpack.io/reason']).toBe('STACK');
    expect(world.build(3)?.spec.lastBuild).toMatchObject({ image: goodStatus.latestImage, stackId: 'stack' });
  });

  it('of a new configuration that was taken back since, the builder unchanged, rebuilds as CONFIG', async () => {
    const { world } = await afterChange({ build: { env: [{ name: 'BAD' }] } });
    world.finish(2, badStatus);
    world.want({ build: {} });
    await world.pass();
    expect(world.build(3)?.metadata.annotations?.['image.kpack.io/reason']).toBe('CONFIG');
  });
});
