/** The images of the relay and of standalone mode in a registry: what a node would pull. */
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pushImages } from '../../../infra/push-images.ts';
import { relayNode } from '../../../infra/relay-image/build.ts';
import { standaloneNode } from '../../../infra/standalone/node.ts';
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

describe.skipIf(missing !== '')(`images of programs${missing && ` (skipped: ${missing})`}`, () => {
  let registry: FakeRegistry;
  let pushed: Awaited<ReturnType<typeof pushImages>>;
  beforeAll(async () => {
    registry = await startFakeRegistry();
    pushed = await pushImages(`${registry.host}/kpackless`, () => undefined, [ownArchitecture()]);
  }, 60_000);
  afterAll(() => registry.close());

  it.each([
    ['relay', relayNode],
    ['standalone', standaloneNode],
  ] as const)(
    '%s shares the layer with Node with the step image, adds under a megabyte, and runs as nobody special',
    async (name, { flags, environment }) => {
      const read = async <T>(path: string): Promise<T> =>
        (await (await fetch(`http://${registry.host}/v2/kpackless/${path}`)).json()) as T;
      const manifestOf = async (reference: string): Promise<Manifest> => {
        const [name = '', digest = ''] = reference.split('/').at(-1)?.split('@') ?? [];
        const { manifests } = await read<Index>(`${name}/manifests/${digest}`);
        expect(manifests.map(({ platform }) => platform.architecture)).toEqual([ownArchitecture()]);
        return read(`${name}/manifests/${manifests[0]?.digest}`);
      };
      const [ofSteps, ofProgram] = [await manifestOf(pushed.steps), await manifestOf(pushed[name])];
      expect(ofProgram.layers[0]).toEqual(ofSteps.layers[0]);
      expect(ofProgram.layers).toHaveLength(2);
      expect(ofProgram.layers[1]?.size).toBeLessThan(1_000_000);
      const { config } = await read<Config>(`${name}/blobs/${ofProgram.config.digest}`);
      expect(config).toMatchObject({
        User: '1000:1000',
        Entrypoint: ['/usr/bin/node', ...flags, '/kpackless/main.mjs'],
        Env: expect.arrayContaining(Object.entries(environment).map((pair) => pair.join('='))) as string[],
      });
      // A flag that Node does not know ends it.
      expect(spawnSync(process.execPath, [...flags, '--eval', '1']).status).toBe(0);
    },
  );
});
