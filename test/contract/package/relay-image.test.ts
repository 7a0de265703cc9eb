/** The image of the relay in a registry: what a node would pull. */
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pushImages } from '../../../infra/push-images.ts';
import { nodeFlags } from '../../../infra/relay-image/build.ts';
import { ownArchitecture } from '../../../infra/step-image/architecture.ts';
import { buildStepImage } from '../../../infra/step-image/build.ts';
import { PermanentError } from '../../../lib/errors/expected.ts';
import { type FakeRegistry, startFakeRegistry } from '../../support/fake-registry.ts';

/** Why it cannot be built here; an empty text when it can. */
const missing = await buildStepImage().then(
  () => '',
  (error: unknown) => {
    if (!(error instanceof PermanentError)) throw error;
    return error.message;
  },
);

interface Index {
  readonly manifests: readonly { readonly digest: string; readonly platform: { readonly architecture: string } }[];
}
interface Manifest {
  readonly config: { readonly digest: string };
  readonly layers: readonly { readonly digest: string; readonly size: number }[];
}
interface Config {
  readonly config: { readonly User: string; readonly Entrypoint: readonly string[] };
}

describe.skipIf(missing !== '')(`the relay’s image${missing && ` (skipped: ${missing})`}`, () => {
  let registry: FakeRegistry;
  beforeAll(async () => {
    registry = await startFakeRegistry();
  });
  afterAll(() => registry.close());

  it('shares the layer with Node with the step image, adds under a megabyte, and runs as nobody special', async () => {
    const { steps, relay } = await pushImages(`${registry.host}/kpackless`, () => undefined, [ownArchitecture()]);
    const read = async <T>(path: string): Promise<T> =>
      (await (await fetch(`http://${registry.host}/v2/kpackless/${path}`)).json()) as T;
    const manifestOf = async (reference: string): Promise<Manifest> => {
      const [name = '', digest = ''] = reference.split('/').at(-1)?.split('@') ?? [];
      const { manifests } = await read<Index>(`${name}/manifests/${digest}`);
      expect(manifests.map(({ platform }) => platform.architecture)).toEqual([ownArchitecture()]);
      return read(`${name}/manifests/${manifests[0]?.digest}`);
    };
    const [ofSteps, ofRelay] = [await manifestOf(steps), await manifestOf(relay)];
    expect(ofRelay.layers[0]).toEqual(ofSteps.layers[0]);
    expect(ofRelay.layers).toHaveLength(2);
    expect(ofRelay.layers[1]?.size).toBeLessThan(1_000_000);
    const { config } = await read<Config>(`relay/blobs/${ofRelay.config.digest}`);
    expect(config).toMatchObject({
      User: '1000:1000',
      Entrypoint: ['/usr/bin/node', ...nodeFlags, '/kpackless/main.mjs'],
      Env: expect.arrayContaining(['MALLOC_ARENA_MAX=1']) as string[],
    });
    // A flag that Node does not know ends it.
    expect(spawnSync(process.execPath, [...nodeFlags, '--eval', '1']).status).toBe(0);
  });
});
