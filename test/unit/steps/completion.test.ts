import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import {
  array,
  constantFrom,
  assert as holds,
  oneof,
  property,
  record,
  string,
  stringMatching,
  tuple,
  uint8Array,
} from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseBuildMetadata } from '../../../lib/builds/metadata.ts';
import { openRegistry } from '../../../lib/oci/client.ts';
import { parseReference } from '../../../lib/oci/reference.ts';
import { complete } from '../../../lib/steps/completion/completion.ts';
import { messageLimitBytes, terminationMessage } from '../../../lib/steps/completion/termination-message.ts';
import { cosignKey } from '../../support/cosign-key.ts';
import { golden } from '../../support/golden.ts';
import { pushImage, type StepWorld, stepWorld } from '../../support/step-world.ts';

const labels = {
  'io.buildpacks.stack.id': 'io.example.stack',
  'io.buildpacks.build.metadata': JSON.stringify({
    buildpacks: [{ id: 'node', version: '1.2.3', homepage: 'https://example.com' }],
    launcher: { version: '0.20.1' },
  }),
  'io.buildpacks.lifecycle.metadata': JSON.stringify({
    runImage: { reference: `localhost:5000/node@sha256:${'a'.repeat(64)}` },
    stack: { runImage: { image: 'gcr.io:443/run:full-cnb' } },
  }),
};

interface Completed {
  readonly message: string;
  readonly image: string;
}

/** Runs completion after a build that pushed an image with these labels. */
const completed = async (
  world: StepWorld,
  {
    args = [],
    env = {},
    with: more = labels,
  }: { args?: readonly string[]; env?: Record<string, string>; with?: Record<string, string> } = {},
): Promise<Completed> => {
  const image = await pushImage(`${world.registry.host}/app:1`, [], more);
  const report = join(world.root, 'report.toml');
  const digest = image.slice(image.indexOf('@') + 1);
  await writeFile(report, `[image]\n  tags = ["${world.registry.host}/app:1"]\n  digest = "${digest}"\n`);
  const path = join(world.root, 'deep/er/termination-log');
  const step = world.step(args, { TERMINATION_MESSAGE_PATH: path, CACHE_TAG: '', ...env });
  await complete(step, { report, secretsDir: world.paths.secretsDir, keysDir: join(world.paths.secretsDir, 'cosign') });
  return { message: await readFile(path, 'utf8'), image };
};
const unpacked = (message: string): unknown => JSON.parse(gunzipSync(Buffer.from(message, 'base64')).toString());

describe('completion', () => {
  it('03#155 says what was built, with the run image that the stack names at the digest really used', async () => {
    await using world = await stepWorld();
    const { message, image } = await completed(world);
    expect(unpacked(message)).toStrictEqual({
      buildpackMetadata: [{ id: 'node', version: '1.2.3', homepage: 'https://example.com' }],
      latestCacheImage: '',
      latestImage: image,
      stackID: 'io.example.stack',
      stackRunImage: `gcr.io:443/run@sha256:${'a'.repeat(64)}`,
      lifecycleVersion: '0.20.1',
    });
    expect(world.log.at(-1)).toBe('Build successful');
  });

  it('03#156 names the cache image, or nothing when it cannot be read', async () => {
    await using world = await stepWorld();
    const cache = await pushImage(`${world.registry.host}/cache:1`, []);
    const found = await completed(world, { env: { CACHE_TAG: `${world.registry.host}/cache:1` } });
    expect(unpacked(found.message)).toMatchObject({ latestCacheImage: cache });
    for (const tag of [`${world.registry.host}/none:1`, 'NOT A TAG']) {
      expect(unpacked((await completed(world, { env: { CACHE_TAG: tag } })).message)).toMatchObject({
        latestCacheImage: '',
      });
    }
  });

  it('03#179 reads images of very old lifecycles', async () => {
    await using world = await stepWorld();
    const old = {
      ...labels,
      'io.buildpacks.lifecycle.metadata': labels['io.buildpacks.lifecycle.metadata'].replace(
        '{',
        '{"app":{"sha":"x"},',
      ),
    };
    expect(unpacked((await completed(world, { with: old })).message)).toMatchObject({ stackID: 'io.example.stack' });
  });

  it('03#186 has nothing to say without tags in the report', async () => {
    await using world = await stepWorld();
    await writeFile(join(world.root, 'empty.toml'), '[image]\n');
    const paths = { report: join(world.root, 'empty.toml'), secretsDir: world.root, keysDir: world.root };
    await expect(complete(world.step([], {}), paths)).rejects.toThrow('no image found in report');
    const missing = { ...paths, report: join(world.root, 'missing.toml') };
    await expect(complete(world.step([], {}), missing)).rejects.toThrow('error decoding report toml file');
  });

  it('03#161 03#162 03#175 signs with every key of the ServiceAccount, whose values may hold an equals sign', async () => {
    await using world = await stepWorld();
    await world.secret('cosign/key-1', { 'cosign.key': cosignKey('pw').pem, 'cosign.password': 'pw' });
    await world.secret('cosign/key-2', { 'cosign.key': cosignKey('').pem });
    const args = ['-cosign-annotations=note=a=b', `-cosign-repositories=key-2=${world.registry.host}/signatures`];
    const { image } = await completed(world, { args });
    const tag = `sha256-${image.slice(-64)}.sig`;
    const registry = openRegistry();
    const { bytes } = await registry.getManifest(parseReference(`${world.registry.host}/app:${tag}`));
    const { layers } = JSON.parse(new TextDecoder().decode(bytes)) as {
      layers: [{ digest: `sha256:${string}`; size: number }];
    };
    const payload = await registry.readBlob(parseReference(image), layers[0]);
    expect(new TextDecoder().decode(payload)).toContain('"optional":{"note":"a=b"}');
    expect(await registry.headManifest(parseReference(`${world.registry.host}/signatures:${tag}`))).toBeDefined();
  });

  it('03#164 stops at the first key that cannot be used', async () => {
    await using world = await stepWorld();
    await world.secret('cosign/a', { 'cosign.key': 'nonsense' });
    await world.secret('cosign/b', { 'cosign.key': cosignKey('').pem });
    await expect(completed(world)).rejects.toThrow(
      /^cosign sign: unable to sign image with .*\/cosign\/a\/cosign.key: /,
    );
    expect(world.registry.requests.some(({ path }) => path.includes('.sig'))).toBe(false);
  });

  it('is not misled by a Secret that is itself called cosign', async () => {
    await using world = await stepWorld();
    await world.secret('cosign', { username: 'u', password: 'p' });
    await mkdir(join(world.paths.secretsDir, 'cosign/..2026_01_01'), { recursive: true });
    expect((await completed(world)).message).not.toBe('');
  });

  it('03#166 refuses notary with a sentence', async () => {
    await using world = await stepWorld();
    await expect(completed(world, { args: ['-notary-v1-url=https://n'] })).rejects.toThrow(
      'notary v1 is not supported',
    );
  });

  it('03#185 wants key and value in every pair', async () => {
    await using world = await stepWorld();
    await expect(completed(world, { args: ['-cosign-annotations=a'] })).rejects.toThrow(
      'argument not formatted as -arg=key=value: a',
    );
  });
});

describe('the termination message', () => {
  const metadata = {
    buildpacks: [{ id: 'node', version: '1', homepage: 'https://example.com' }],
    latestImage: `registry.example.com/team/app@sha256:${'b'.repeat(64)}`,
    latestCacheImage: '',
    stackId: 's',
    stackRunImage: '',
    lifecycleVersion: '0.20.1',
  };

  it('03#154 is read back as it was written', () => {
    expect(parseBuildMetadata(terminationMessage(metadata))).toStrictEqual(metadata);
  });

  /** Texts from those that pack well to those that do not pack at all. */
  const text = (maxLength: number) =>
    oneof(
      stringMatching(/^[a-z0-9._/-]+$/).map((some) => some.slice(0, maxLength)),
      string({ unit: 'binary', maxLength }),
      uint8Array({ maxLength: Math.floor(maxLength / 2) }).map((bytes) => Buffer.from(bytes).toString('hex')),
    );
  const name = (length: number) =>
    string({ unit: constantFrom(...'abcdefghijklmnopqrstuvwxyz0123456789._-'.split('')), maxLength: length });
  /** As long as registries allow: a host of 253 and a repository of 255 characters. */
  const image = tuple(name(253), name(255)).map(([host, path]) => `${host}/${path}@sha256:${'e'.repeat(64)}`);

  it('fits the share of a pod with ten containers, whatever was built, and loses nothing that is not in the labels', () => {
    const anything = record({
      buildpacks: array(record({ id: text(200), version: text(60), homepage: text(300).map((page) => `h${page}`) }), {
        maxLength: 40,
      }),
      latestImage: image,
      latestCacheImage: image,
      stackId: text(200),
      stackRunImage: image,
      lifecycleVersion: text(20),
    });
    holds(
      property(anything, (built) => {
        const message = terminationMessage(built);
        expect(Buffer.byteLength(message)).toBeLessThanOrEqual(messageLimitBytes);
        expect(12_288 / 10).toBeGreaterThan(messageLimitBytes);
        const said = parseBuildMetadata(message);
        expect(said?.latestImage).toBe(built.latestImage);
        expect(said?.isPartial === true ? built : said).toEqual(built);
      }),
      { numRuns: 300 },
    );
  });

  it('has room for the buildpacks of a large builder, and says so when their homepages were left out', () => {
    const many = (length: number) =>
      Array.from({ length }, (_, n) => {
        const hash = createHash('sha256').update(String(n)).digest('hex');
        const homepage = `https://github.com/paketo/${hash.slice(12, 30)}`;
        return { id: `paketo-buildpacks/${hash.slice(0, 12)}`, version: `${n}.1.0`, homepage };
      });
    const read = (length: number) => parseBuildMetadata(terminationMessage({ ...metadata, buildpacks: many(length) }));
    expect(read(15)).toStrictEqual({ ...metadata, buildpacks: many(15) });
    const bare = many(32).map(({ id, version }) => ({ id, version }));
    expect(read(32)).toStrictEqual({ ...metadata, buildpacks: bare, isPartial: true });
    expect(read(300)).toMatchObject({ buildpacks: [], isPartial: true });
  });

  it('is never too long: what does not fit is left out, the image never', () => {
    const buildpacks = Array.from({ length: 300 }, (_, index) => ({
      id: `${Math.sin(index)}`,
      version: `${Math.cos(index)}`,
      homepage: `https://example.com/${Math.tan(index)}`,
    }));
    const message = terminationMessage({ ...metadata, buildpacks });
    expect(message.length).toBeLessThanOrEqual(messageLimitBytes);
    expect(unpacked(message)).toMatchObject({ latestImage: metadata.latestImage, lifecycleVersion: '0.20.1' });
    expect(terminationMessage({ ...metadata, buildpacks: buildpacks.slice(0, 12) })).not.toBe('');
  });

  it('of the recorded build says what kpack said', async () => {
    const recorded = golden('flow/1-first-build.json') as {
      pods: [{ status: { containerStatuses: [{ state: { terminated: { message: string } } }] } }];
    };
    const config = golden('registry/flow-build-1.config.json') as { config: { Labels: Record<string, string> } };
    const kpack = unpacked(recorded.pods[0].status.containerStatuses[0].state.terminated.message) as {
      latestImage: string;
    };
    await using world = await stepWorld();
    const { message, image } = await completed(world, { with: config.config.Labels });
    expect(unpacked(message)).toStrictEqual({ ...kpack, latestImage: image });
  });
});
