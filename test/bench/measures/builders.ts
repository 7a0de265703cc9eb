/** Builders over a registry of their own: what a change sends over the wire, and what no change does. */
import { sampleBuildpackage } from '../../../infra/local/images/buildpackage.ts';
import { pushImage } from '../../../infra/local/images/push.ts';
import type { KubeObject } from '../../../lib/kube/object.ts';
import { type Conditioned, conditionOf } from '../../../lib/reconcile/conditions.ts';
import { isUpload } from '../registry.ts';
import { type Row, round } from '../row.ts';
import { inLanes, until } from '../wait.ts';
import type { World } from '../world.ts';
import { untilQuiet } from './fan-out.ts';

const count = 50;

type ReadBuilder = KubeObject &
  Conditioned & {
    readonly status?: {
      readonly observedGeneration?: number;
      readonly builderMetadata?: readonly { readonly version?: string }[];
    };
  };

/** Waits until all builders hold that version of the buildpack. */
const untilAllHold = (world: World, version: string): Promise<true> =>
  until(
    `${count} builders with version ${version}`,
    async () => {
      const builders = await world.kube.list<ReadBuilder>('ClusterBuilder');
      const own = builders.filter(({ metadata }) => metadata?.name?.startsWith('many-'));
      const ready = own.filter(
        (builder) =>
          conditionOf(builder, 'Ready')?.status === 'True' &&
          builder.status?.builderMetadata?.some((buildpack) => buildpack.version === version) === true,
      );
      return ready.length === count ? true : undefined;
    },
    { seconds: 90, everyMs: 200 },
  );

/** Uploads of one blob, by its digest, and of everything. */
const uploads = (
  { otherRegistry }: World,
  digests: readonly string[],
): { readonly all: number; readonly named: number } => {
  const sent = otherRegistry.requests().filter(isUpload);
  const named = sent.filter(({ path }) => digests.some((digest) => decodeURIComponent(path).includes(digest)));
  return { all: sent.length, named: named.length };
};

/** Makes the builders, lets them be looked at again, and gives their store a new buildpack. */
export const builders = async (world: World): Promise<readonly Row[]> => {
  const { kube, registry, otherRegistry } = world;
  const audit = world.audit();
  const spec = (index: number) => ({
    tag: `${otherRegistry.host}/builders/many-${index}`,
    serviceAccountRef: { namespace: 'sample', name: 'builder' },
    stack: { kind: 'ClusterStack', name: 'sample' },
    store: { kind: 'ClusterStore', name: 'sample' },
    lifecycle: { kind: 'ClusterLifecycle', name: 'default-lifecycle' },
    order: [{ group: [{ id: 'sample/hello' }] }],
  });
  const names = Array.from({ length: count }, (_, index) => `many-${index}`);
  const started = performance.now();
  await inLanes(names, 8, (name) =>
    kube.create<KubeObject & { readonly spec: unknown }>({
      apiVersion: 'kpack.io/v1alpha2',
      kind: 'ClusterBuilder',
      metadata: { name },
      spec: spec(Number(name.slice('many-'.length))),
    }),
  );
  await untilAllHold(world, '1.0.0');
  const seconds = (performance.now() - started) / 1000;
  const first = uploads(world, []);
  await inLanes(names, 8, (name) =>
    kube.patch(
      { kind: 'ClusterBuilder', namespace: '', name },
      { metadata: { annotations: { 'bench.kpackless.dev/at': 'now' } } },
    ),
  );
  await untilQuiet(audit, 2000);
  const unchanged = uploads(world, []);
  const next = await sampleBuildpackage({ name: 'sample/buildpack:2.0.0', version: '2.0.0' });
  await pushImage(registry.host, next);
  const changedAt = performance.now();
  await kube.patch(
    { kind: 'ClusterStore', namespace: '', name: 'sample' },
    { spec: { sources: [{ image: world.images.buildpack }, { image: `${registry.host}/sample/buildpack:2.0.0` }] } },
  );
  await untilAllHold(world, '2.0.0');
  const changeSeconds = (performance.now() - changedAt) / 1000;
  const changed = uploads(
    world,
    next.layers.map(({ digest }) => digest),
  );
  return [
    {
      measure: `${count} builders made in another registry`,
      measured: `${round(seconds)} s, ${first.all} blob uploads`,
      figures: { seconds, uploads: first.all },
    },
    {
      measure: `${count} unchanged builders looked at again`,
      measured: `${unchanged.all} blob uploads`,
      goal: '0 blob uploads',
      reached: unchanged.all === 0,
      figures: { uploads: unchanged.all },
    },
    {
      measure: `one buildpack changed under ${count} builders`,
      measured: `its layer was uploaded ${changed.named} times; ${changed.all} uploads in all (own configs and order layers); ${round(changeSeconds)} s`,
      goal: 'each buildpack layer once per registry',
      reached: changed.named === 1,
      figures: { layerUploads: changed.named, uploads: changed.all, seconds: changeSeconds },
    },
  ];
};
