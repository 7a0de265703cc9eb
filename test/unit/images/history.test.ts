/** How many Builds are kept: cases 117–122 of spec 02 §11.5. */
import { describe, expect, it } from 'vitest';
import { ExpectedError } from '../../../lib/errors/expected.ts';
import { KubeError } from '../../../lib/kube/errors.ts';
import { badStatus, goodStatus, imageWorld, namespace, revision } from '../../support/image-world.ts';

const limits = (failed: number, success: number) => ({
  failedBuildHistoryLimit: failed,
  successBuildHistoryLimit: success,
});
const deleted = (...numbers: readonly number[]): readonly string[] =>
  numbers.map((number) => `delete Build some-namespace/image-name-build-${number}`);

/** An Image with its source resolved and Builds that ended so, oldest first; the last of them is up to date. */
const withPast = async (failed: number, success: number, endings: string) => {
  const world = imageWorld({ spec: limits(failed, success) });
  Array.from(endings).forEach((ending, index) => {
    world.past(index + 1, ending === '-' ? badStatus : ending === '+' ? goodStatus : {});
  });
  await world.pass();
  if (world.resolver() !== undefined) world.resolve();
  return world;
};

describe('history', () => {
  it('02#117 the oldest failed Build too many goes', async () => {
    const { pass, builds } = await withPast(4, 4, '-----');
    expect((await pass()).writes.filter((write) => write.startsWith('delete'))).toStrictEqual(deleted(1));
    expect(builds()).toHaveLength(4);
  });

  it('02#118 the oldest successful Build too many goes', async () => {
    const { pass } = await withPast(4, 4, '+++++');
    expect((await pass()).writes.filter((write) => write.startsWith('delete'))).toStrictEqual(deleted(1));
  });

  it('02#119 all that are too many go in one pass (kpack: one of each a pass), the last success never', async () => {
    const { pass, builds } = await withPast(4, 4, '+++++-+------');
    expect((await pass()).writes.filter((write) => write.startsWith('delete'))).toStrictEqual(deleted(6, 8, 9, 1, 2));
    expect(builds()).toHaveLength(8);
    expect((await pass()).writes).toStrictEqual([]);
    const one = await withPast(1, 1, '+---');
    await one.pass();
    expect(one.builds()).toStrictEqual(['image-name-build-1', 'image-name-build-4']);
  });

  it('years of Builds go over several passes', async () => {
    const { pass, builds } = await withPast(1, 1, `${'-'.repeat(50)}+`);
    expect((await pass()).outcome).toMatchObject({ done: false, afterSeconds: 1 });
    await pass();
    expect(builds()).toHaveLength(11);
    expect((await pass()).outcome).toStrictEqual({ done: true });
    expect(builds()).toHaveLength(2);
  });

  it('02#120 nothing goes while a Build runs or the builder is missing', async () => {
    const running = await withPast(1, 1, '---r');
    await running.pass();
    expect(running.builds()).toHaveLength(4);
    const missing = await withPast(1, 1, '---');
    missing.kube.remove('Builder', 'builder-name', namespace);
    await missing.pass();
    expect(missing.builds()).toHaveLength(3);
  });

  it('02#121 one that is gone already is no failure; when deleting fails, the new Build is in the status nevertheless', async () => {
    const { pass, resolve, kube, image } = await withPast(1, 1, '+++');
    resolve({ git: { url: 'https://git.example/app', revision: revision('b'), type: 'Branch' } });
    kube.failNext('delete', /Build/, new KubeError('server', 'DELETE build: out of order', { status: 500 }));
    expect((await pass()).outcome).toBeInstanceOf(ExpectedError);
    expect(image().status).toMatchObject({ latestBuildRef: 'image-name-build-4', buildCounter: 4 });
  });

  it('02#122 a Build that has not ended is in neither count', async () => {
    const { pass, builds } = await withPast(2, 2, '-r-+');
    await pass();
    expect(builds()).toHaveLength(4);
  });

  it('a limit of none keeps one', async () => {
    const { pass, builds } = await withPast(0, 0, '-+-+');
    await pass();
    expect(builds()).toStrictEqual(['image-name-build-3', 'image-name-build-4']);
  });

  it('a Build that has ended and is being deleted holds nothing back, and its number is not given again', async () => {
    const { pass, past, resolve, kube, builds } = imageWorld();
    past(1, goodStatus);
    past(2, badStatus, { finalizers: ['x/y'], deletionTimestamp: '2026-01-01T11:00:00Z' });
    await pass();
    resolve({ git: { url: 'https://git.example/app', revision: revision('b'), type: 'Branch' } });
    await pass();
    expect(kube.writes).toContain('create Build some-namespace/image-name-build-3');
    expect(builds()).toHaveLength(3);
  });

  it('a Build that lost its owner still counts', async () => {
    const { pass, past, ready, resolve } = imageWorld();
    past(1, goodStatus, { ownerReferences: [] });
    await pass();
    resolve();
    await pass();
    expect(ready()).toMatchObject({ status: 'True', reason: 'UpToDate' });
  });

  it('the newest Build is the one made last, also where kpack began to count anew', async () => {
    const { pass, past, image, resolve, builds } = imageWorld();
    past(9, goodStatus);
    past(1, goodStatus);
    await pass();
    expect(image().status?.latestBuildRef).toBe('image-name-build-1');
    resolve({ git: { url: 'https://git.example/app', revision: revision('b'), type: 'Branch' } });
    await pass();
    expect(builds()).toContain('image-name-build-10');
  });
});
