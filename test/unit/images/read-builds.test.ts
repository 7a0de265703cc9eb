/** When the list of Builds is left out, and that a wrong guess is made good (lib/images/read-builds.ts). */
import { describe, expect, it } from 'vitest';
import { goodStatus, imageWorld, namespace, revision } from '../../support/image-world.ts';

type World = ReturnType<typeof imageWorld>;
const lists = ({ kube }: World): number =>
  kube.calls.filter(({ verb, what }) => verb === 'list' && what.startsWith('Build')).length;

/** The status is taken away, as by a restore that knows no statuses. */
const loseStatus = ({ kube }: World): void => {
  kube.edit('Image', 'image-name', ({ status: _status, ...rest }) => rest, namespace);
};
/** Nobody controls the children any more, and the Image is another one: deleted with `--cascade=orphan` and applied again. */
const orphan = ({ kube, image }: World): void => {
  for (const kind of ['Build', 'SourceResolver'] as const)
    for (const { metadata } of kube.all(kind))
      kube.edit(
        kind,
        metadata.name,
        (now) => ({ ...now, metadata: { ...now.metadata, ownerReferences: [] } }),
        namespace,
      );
  const { status: _status, metadata, ...rest } = image();
  kube.now = new Date(kube.now.getTime() + 60_000);
  kube.put({ ...rest, metadata: { name: metadata.name, namespace } });
};

describe('the list of Builds', () => {
  it('is not needed from a new Image to the end of its first Build', async () => {
    const world = imageWorld();
    await world.pass();
    expect(lists(world)).toBe(0);
    world.resolve();
    await world.pass();
    expect(lists(world)).toBe(0);
    await world.pass();
    expect(lists(world)).toBe(0);
    world.finish(1, goodStatus);
    await world.pass();
    expect(lists(world)).toBe(1);
    expect(world.ready()?.reason).toBe('UpToDate');
  });

  it('is read when the Build that was running is gone', async () => {
    const world = imageWorld();
    await world.pass();
    world.resolve();
    await world.pass();
    world.kube.remove('Build', 'image-name-build-1', namespace);
    await world.pass();
    expect(lists(world)).toBe(1);
    expect(world.builds()).toStrictEqual(['image-name-build-2']);
  });

  it.each([
    ['is on its way out', { deletionTimestamp: '2026-01-01T11:00:00Z', finalizers: ['x/y'] }],
    ['belongs to somebody else now', { ownerReferences: [] }],
  ])('is read when the Build that was running %s', async (_what, change) => {
    const world = imageWorld();
    await world.pass();
    world.resolve();
    await world.pass();
    world.kube.edit(
      'Build',
      'image-name-build-1',
      (now) => ({ ...now, metadata: { ...now.metadata, ...change } }),
      namespace,
    );
    await world.pass();
    expect(lists(world)).toBe(1);
  });

  it('is read when a Build has the name of the first one although the status names none', async () => {
    const world = imageWorld();
    await world.firstBuild();
    loseStatus(world);
    const { writes } = await world.pass();
    expect(writes).toStrictEqual([
      'create Build some-namespace/image-name-build-1 (refused)',
      'replaceStatus Image some-namespace/image-name',
    ]);
    expect(world.ready()).toMatchObject({ status: 'True', reason: 'UpToDate' });
    expect(world.image().status).toMatchObject({ latestBuildRef: 'image-name-build-1', buildCounter: 1 });
  });

  it('is read when the resolver is older than the Image: orphaned Builds still count and nothing is built again', async () => {
    const world = imageWorld();
    await world.firstBuild();
    world.annotate(1, { 'image.kpack.io/additionalBuildNeeded': '' });
    await world.pass();
    world.finish(2, goodStatus);
    // The name of the first Build is free again: only the resolver's age tells.
    world.kube.remove('Build', 'image-name-build-1', namespace);
    orphan(world);
    await world.pass();
    expect(lists(world)).toBe(1);
    world.resolve();
    await world.pass();
    expect(world.builds()).toStrictEqual(['image-name-build-2']);
    expect(world.ready()).toMatchObject({ status: 'True', reason: 'UpToDate' });
  });

  it('is read for an Image that is not young any more, whatever its status lacks', async () => {
    const world = imageWorld();
    world.past(4, goodStatus);
    await world.pass();
    expect(lists(world)).toBe(1);
    world.resolve({ git: { url: 'https://git.example/app', revision: revision('b'), type: 'Branch' } });
    await world.pass();
    expect(world.builds()).toContain('image-name-build-5');
  });
});
