/** Stand-ins for built images: small layers and the labels that a lifecycle leaves, enough for rebases. */
import { type LocalImage, makeImage } from '../../../infra/local/images/image.ts';
import { type Layer, makeLayer } from '../../../infra/local/images/layer.ts';
import { pushImage } from '../../../infra/local/images/push.ts';
import { runImage, SAMPLE_STACK_ID } from '../../../infra/local/images/stack.ts';
import { openRegistry } from '../../../lib/oci/client.ts';
import { digestOf } from '../../../lib/oci/digest.ts';
import { replay } from '../../../lib/oci/http.ts';
import { dockerManifestType } from '../../../lib/oci/media-types.ts';
import { parseRepository, parseTag, repositoryOf } from '../../../lib/oci/reference.ts';
import { inLanes } from '../wait.ts';

/** Layers of each app image: two of the run image and the rest of its own. */
export const layersEach = 10;

const ownLayers = (): Promise<readonly Layer[]> =>
  Promise.all(
    Array.from({ length: layersEach - 2 }, (_, index) =>
      makeLayer([{ path: `layers/app/${index}`, content: `content ${index}` }]),
    ),
  );

const appImage = (name: string, run: LocalImage, runReference: string, layers: readonly Layer[]): LocalImage =>
  makeImage(name, [...run.layers, ...layers], {
    labels: {
      'io.buildpacks.stack.id': SAMPLE_STACK_ID,
      'io.buildpacks.base.distro.name': 'kpackless',
      'io.buildpacks.base.distro.version': '1',
      'io.buildpacks.lifecycle.metadata': JSON.stringify({
        runImage: { topLayer: run.layers.at(-1)?.diffId ?? '', reference: runReference },
        stack: { runImage: { image: runReference.split('@')[0] ?? '' } },
      }),
      'io.buildpacks.build.metadata': JSON.stringify({
        buildpacks: [{ id: 'sample/hello', version: '1.0.0' }],
        launcher: { version: '0.21.0' },
      }),
      // Makes each image its own, as apps are.
      'dev.kpackless.bench': name,
    },
    env: ['CNB_PLATFORM_API=0.13'],
  });

/** Pushes an app image as `<repository>:<tag>` for each name; gives the references by digest. Layers are uploaded once, then mounted. */
export const pushApps = async (host: string, names: readonly string[]): Promise<ReadonlyMap<string, string>> => {
  const registry = openRegistry();
  const run = await runImage({ name: 'run:1' });
  const runReference = await pushImage(host, run);
  const layers = await ownLayers();
  const seed = appImage('bench/seed:1', run, runReference, layers);
  await pushImage(host, seed);
  const from = parseRepository(`${host}/bench/seed`);
  const made = new Map<string, string>();
  await inLanes(names, 8, async (name) => {
    const image = appImage(`apps/${name}:latest`, run, runReference, layers);
    const tag = parseTag(`${host}/${image.name}`);
    const repository = repositoryOf(tag);
    for (const { digest } of image.layers) await registry.mountBlob(repository, digest, from);
    await registry.pushBlob(repository, { digest: digestOf(image.config), ...replay(image.config) });
    const digest = await registry.putManifest(tag, { mediaType: dockerManifestType, bytes: image.manifest });
    made.set(name, `${host}/apps/${name}@${digest}`);
  });
  return made;
};
