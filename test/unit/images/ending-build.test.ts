/** A Build that is being deleted while its pod runs: one Image never has two pods at once. */
import { describe, expect, it } from 'vitest';
import { badStatus, gitSource, goodStatus, imageWorld, namespace, revision } from '../../support/image-world.ts';

const moved = { git: { ...gitSource.git, revision: revision('b') } } as typeof gitSource;
type World = ReturnType<typeof imageWorld>;
const buildName = (number: number): string => `image-name-build-${number}`;

const finalizers = (world: World, number: number, held: readonly string[]): void => {
  world.kube.edit(
    'Build',
    buildName(number),
    (build) => ({ ...build, metadata: { ...build.metadata, finalizers: held } }),
    namespace,
  );
};
/** The user deletes a Build in the foreground: it stays until its pod is gone. */
const held = async (world: World, number: number): Promise<void> => {
  finalizers(world, number, ['foregroundDeletion']);
  const build = world.build(number);
  if (build === undefined) throw new Error(`there is no Build ${number}`);
  await world.kube.delete(build);
};

describe('a Build that is being deleted', () => {
  it.each([
    ['the first', []],
    ['one after a success', [goodStatus]],
    ['one after a failure', [badStatus]],
  ])('and runs (%s) holds the next one back, and the Image says what it waits for', async (_, before) => {
    const world = imageWorld();
    await world.pass();
    world.resolve();
    await world.pass();
    for (const status of before) {
      world.finish(1, status);
      world.resolve(moved);
      await world.pass();
    }
    const running = world.builds().length;
    await held(world, running);
    world.want({ tag: 'registry.test/other' });
    await world.pass();
    await world.pass();
    expect(world.builds()).toHaveLength(running);
    expect(world.ready()).toMatchObject({
      status: 'Unknown',
      reason: 'BuildRunning',
      message: `Build '${buildName(running)}' is being deleted, and no other is started until it is gone; it is held by foregroundDeletion`,
    });
    world.kube.remove('Build', buildName(running), namespace);
    await world.pass();
    expect(world.builds()).toContain(buildName(running + 1));
  });

  it('and has ended holds nothing back', async () => {
    const world = imageWorld();
    await world.firstBuild();
    world.finish(1, goodStatus);
    await held(world, 1);
    world.resolve(moved);
    await world.pass();
    expect(world.builds()).toContain(buildName(2));
  });
});
