import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packTar } from 'modern-tar';
import { parse } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { openRegistry } from '../../../lib/oci/client.ts';
import { digestOf } from '../../../lib/oci/digest.ts';
import { readImage } from '../../../lib/oci/image.ts';
import { parseReference } from '../../../lib/oci/reference.ts';
import { rebase } from '../../../lib/steps/rebase/rebase.ts';
import { pushImage, type StepWorld, stepWorld } from '../../support/step-world.ts';

const layer = (name: string) => packTar([{ header: { name, size: 1, mtime: new Date(0) }, body: 'x' }]);
const stack = { 'io.buildpacks.stack.id': 'stack' };

/** An app on an old run image, and a new run image. */
const fleet = async (
  world: StepWorld,
): Promise<{ readonly app: string; readonly run: string; readonly top: string }> => {
  const [old, own, fresh] = await Promise.all(['old', 'app', 'fresh'].map(layer));
  if (old === undefined || own === undefined || fresh === undefined) throw new Error('three layers are made');
  const metadata = { runImage: { topLayer: digestOf(old), reference: `${world.registry.host}/run@${digestOf('r')}` } };
  const labels = { ...stack, 'io.buildpacks.lifecycle.metadata': JSON.stringify(metadata) };
  return {
    app: await pushImage(`${world.registry.host}/app:1`, [old, own], labels),
    run: await pushImage(`${world.registry.host}/run:new`, [fresh], stack),
    top: digestOf(fresh),
  };
};

const argsOf = (world: StepWorld, app: string, run: string): readonly string[] => [
  '--run-image',
  run,
  '--last-built-image',
  app,
  '--report',
  join(world.root, 'report/report.toml'),
  `${world.registry.host}/app:1`,
  `${world.registry.host}/app:2`,
];

describe('rebase in a pod', () => {
  it('03#60 03#157 puts the app on the new run image under all tags and reports what it made', async () => {
    await using world = await stepWorld();
    const { app, run, top } = await fleet(world);
    await rebase(world.step(argsOf(world, app, run), {}), world.paths.secretsDir);
    const made = await readImage(openRegistry(), parseReference(`${world.registry.host}/app:2`));
    expect(made.diffIds[0]).toBe(top);
    expect(made.layers).toHaveLength(2);
    const report = await readFile(join(world.root, 'report/report.toml'), 'utf8');
    expect(parse(report)).toMatchObject({
      image: {
        tags: [`${world.registry.host}/app:1`, `${world.registry.host}/app:2`],
        digest: made.reference.digest,
        'manifest-size': expect.any(Number) as number,
      },
    });
    expect(world.log).toContain(`*** Images (${made.reference.digest}):`);
  });

  it('03#193 fails and leaves no report when a tag cannot be written', async () => {
    await using world = await stepWorld();
    const { app, run } = await fleet(world);
    world.registry.addFault({ kind: 'status', method: 'PUT', path: /app\/manifests\/2/, status: 403, times: 9 });
    await expect(rebase(world.step(argsOf(world, app, run), {}), world.paths.secretsDir)).rejects.toThrow(
      /failed to write image to the following tags: \[.*app:2: /,
    );
    await expect(readFile(join(world.root, 'report/report.toml'))).rejects.toThrow('ENOENT');
  });

  it('that would have to guess says by its exit code that the image is to be built from source, and moves no tag', async () => {
    await using world = await stepWorld();
    const { run } = await fleet(world);
    const [old, own] = await Promise.all(['old', 'app'].map(layer));
    if (old === undefined || own === undefined) throw new Error('two layers are made');
    const metadata = {
      runImage: { topLayer: digestOf(old), reference: `${world.registry.host}/run@${digestOf('r')}` },
    };
    const labels = { ...stack, 'io.buildpacks.lifecycle.metadata': JSON.stringify(metadata) };
    const app = await pushImage(`${world.registry.host}/app:3`, [old, old, own], labels);
    const failure: unknown = await rebase(world.step(argsOf(world, app, run), {}), world.paths.secretsDir).catch(
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({ exitCode: 46, message: expect.stringContaining('is in it 2 times') as string });
    await expect(readImage(openRegistry(), parseReference(`${world.registry.host}/app:2`))).rejects.toThrow(
      /unknown|404/iu,
    );
  });

  it('03#159 refuses another stack', async () => {
    await using world = await stepWorld();
    const { app } = await fleet(world);
    const run = await pushImage(`${world.registry.host}/run:other`, [], { 'io.buildpacks.stack.id': 'other' });
    await expect(rebase(world.step(argsOf(world, app, run), {}), world.paths.secretsDir)).rejects.toThrow(
      "incompatible stack: 'other' is not compatible with 'stack'",
    );
  });

  it('wants at least one tag', async () => {
    await using world = await stepWorld();
    await expect(rebase(world.step(['--run-image', 'x'], {}))).rejects.toMatchObject({ reason: 'NoTags' });
  });
});
