/** Another Build, or none for now, by annotation on the Image (DESIGN §5). */
import { describe, expect, it } from 'vitest';
import { badStatus, gitSource, goodStatus, imageWorld, namespace, revision } from '../../support/image-world.ts';

const retry = 'image.kpack.io/retry';
const paused = 'image.kpack.io/paused';
type World = ReturnType<typeof imageWorld>;

const annotate = (world: World, annotations: Readonly<Record<string, string>>): void => {
  const image = world.image();
  const { name } = image.metadata;
  world.kube.edit('Image', name, (now) => ({ ...now, metadata: { ...now.metadata, annotations } }), namespace);
};
const moved = { git: { ...gitSource.git, revision: revision('b') } } as typeof gitSource;

describe('a retry', () => {
  it.each([
    ['failed', badStatus],
    ['succeeded', goodStatus],
  ])('of a Build that %s is one new Build with reason TRIGGER, however often it is looked at', async (_, status) => {
    const world = imageWorld();
    await world.firstBuild();
    world.finish(1, status);
    await world.pass();
    annotate(world, { [retry]: '2026-11-21T09:00:00Z' });
    await world.pass();
    expect(world.build(2)?.metadata.annotations).toMatchObject({ 'image.kpack.io/reason': 'TRIGGER' });
    world.finish(2, badStatus);
    await world.pass();
    await world.pass();
    expect(world.builds()).toHaveLength(2);
    annotate(world, { [retry]: '2026-11-21T10:00:00Z' });
    await world.pass();
    expect(world.builds()).toHaveLength(3);
  });

  it('that is asked for while a Build runs comes after it', async () => {
    const world = imageWorld();
    await world.pass();
    world.resolve();
    await world.pass();
    annotate(world, { [retry]: 'now' });
    await world.pass();
    expect(world.builds()).toHaveLength(1);
    world.finish(1, badStatus);
    await world.pass();
    expect(world.builds()).toHaveLength(2);
  });

  it('on a new Image is its first Build, not a second', async () => {
    const world = imageWorld({ metadata: { annotations: { [retry]: 'now' } } });
    await world.firstBuild();
    world.finish(1, goodStatus);
    await world.pass();
    expect(world.builds()).toHaveLength(1);
    expect(world.build(1)?.metadata.annotations).toMatchObject({ 'image.kpack.io/reason': 'CONFIG' });
  });
});

describe('a pause', () => {
  it('keeps a due Build from being made, says why it would be, and its end makes it', async () => {
    const world = imageWorld();
    await world.firstBuild();
    world.finish(1, goodStatus);
    annotate(world, { [paused]: 'true' });
    world.resolve(moved);
    expect((await world.pass()).outcome).toStrictEqual({ done: true });
    expect(world.builds()).toHaveLength(1);
    expect(world.ready()).toMatchObject({
      status: 'True',
      reason: 'Paused',
      message: 'Builds are paused by annotation image.kpack.io/paused; a Build is due: COMMIT',
    });
    annotate(world, {});
    await world.pass();
    expect(world.build(2)?.metadata.annotations).toMatchObject({ 'image.kpack.io/reason': 'COMMIT' });
  });

  it('leaves a running Build alone', async () => {
    const world = imageWorld();
    await world.pass();
    world.resolve();
    await world.pass();
    annotate(world, { [paused]: 'true' });
    await world.pass();
    expect(world.ready()).toMatchObject({ status: 'Unknown', reason: 'BuildRunning' });
  });

  it('with nothing due is only mentioned, and a failure is still told', async () => {
    const world = imageWorld();
    await world.firstBuild();
    world.finish(1, goodStatus);
    annotate(world, { [paused]: 'true' });
    await world.pass();
    expect(world.ready()).toMatchObject({ status: 'True', reason: 'UpToDate' });
    expect(world.ready()?.message).toContain('no Build is due');
    const failed = imageWorld();
    await failed.firstBuild();
    failed.finish(1, badStatus);
    annotate(failed, { [paused]: 'true', [retry]: 'now' });
    await failed.pass();
    expect(failed.ready()).toMatchObject({ status: 'False', reason: 'BuildFailed' });
    expect(failed.ready()?.message).toMatch(/something went wrong; Builds are paused .*TRIGGER$/);
    expect(failed.builds()).toHaveLength(1);
  });

  it('of a new Image makes no first Build', async () => {
    const world = imageWorld({ metadata: { annotations: { [paused]: 'true' } } });
    await world.pass();
    world.resolve();
    await world.pass();
    expect(world.builds()).toHaveLength(0);
    expect(world.ready()).toMatchObject({ status: 'Unknown', reason: 'Paused' });
  });

  it('is not handed to Builds, nor is a cancellation', async () => {
    const world = imageWorld({ metadata: { annotations: { [paused]: 'false', 'build.kpack.io/cancel': 'x' } } });
    await world.firstBuild();
    expect(Object.keys(world.build(1)?.metadata.annotations ?? {})).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/paused|cancel/)]),
    );
  });
});
