/** A new run image in the stack: how fast all Images stand on it, without a pod. */

import { pushImage } from '../../../infra/local/images/push.ts';
import { runImage } from '../../../infra/local/images/stack.ts';
import type { Build } from '../../../lib/api/build.ts';
import type { KubeObject } from '../../../lib/kube/object.ts';
import type { AuditedRequest } from '../../support/audit-line.ts';
import { namespace } from '../objects.ts';
import { type Row, round } from '../row.ts';
import { inLanes, until } from '../wait.ts';
import { ownUser, type World } from '../world.ts';
import { layersEach, pushApps } from './app-images.ts';
import { untilQuiet } from './fan-out.ts';

const upstreamPerSecond = 20 / 14.6;

/** Says of a Build what the completion step would have said. Its pod does not exist any more, as after history clean-up. */
const finish = async ({ kube, registry }: World, image: string, latestImage: string, run: string): Promise<void> => {
  const key = { kind: 'Build', namespace, name: `${image}-build-1` };
  await until(
    `status of ${key.name}`,
    async () => {
      const build = await kube.get<Build>(key);
      if (build === undefined) throw new Error(`${key.name} is gone`);
      try {
        return await kube.replaceStatus<KubeObject & { readonly status?: unknown }>({
          ...build,
          status: {
            ...build.status,
            observedGeneration: build.metadata.generation,
            conditions: [
              {
                type: 'Succeeded',
                status: 'True',
                lastTransitionTime: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
              },
            ],
            latestImage,
            stack: { id: 'dev.kpackless.sample', runImage: `${registry.host}/builders/sample@${run}` },
            buildMetadata: [{ id: 'sample/hello', version: '1.0.0' }],
            lifecycleVersion: '0.21.0',
          },
        });
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'conflict') return undefined;
        throw error;
      }
    },
    { seconds: 10, everyMs: 20 },
  );
};

/** Whether it says that an Image was rebased. */
export const isRebased = ({ resource, verb, name, code, user }: AuditedRequest): boolean =>
  resource === 'builds/status' && verb === 'update' && user === ownUser && name.endsWith('-build-2') && code === 200;

/** Ends the first Build of each Image, with a stand-in for what its pod would have pushed. */
export const finishBuilds = async (world: World, images: readonly string[]): Promise<void> => {
  const { kube, registry } = world;
  const audit = world.audit();
  const apps = await pushApps(registry.host, images);
  const builder = await kube.get<
    KubeObject & { readonly status?: { readonly stack?: { readonly runImage?: string } } }
  >({
    kind: 'ClusterBuilder',
    namespace: '',
    name: 'sample',
  });
  const run = builder?.status?.stack?.runImage?.split('@')[1] ?? '';
  await inLanes(images, 8, (name) => finish(world, name, apps.get(name) ?? '', run));
  await untilQuiet(audit, 3000);
};

/** Gives the stack another run image. */
export const changeStack = async ({ kube, registry }: World): Promise<void> => {
  await pushImage(registry.host, await runImage({ name: 'run:2', release: 'with a fix' }));
  registry.requests();
  await kube.patch(
    { kind: 'ClusterStack', namespace: '', name: 'sample' },
    { spec: { runImage: { image: `${registry.host}/run:2` } } },
  );
};

/** Changes the stack under Images whose Builds have ended. */
export const stackChange = async (world: World, images: readonly string[]): Promise<readonly Row[]> => {
  const { kube, registry } = world;
  const audit = world.audit();
  await changeStack(world);
  const seen: AuditedRequest[] = [];
  const done = new Set<string>();
  await until(
    `rebases of ${images.length} Images`,
    () => {
      const fresh = audit.next();
      seen.push(...fresh);
      for (const request of fresh) if (isRebased(request)) done.add(request.name);
      return done.size >= images.length ? true : undefined;
    },
    { seconds: 120, everyMs: 50 },
  );
  const begun = seen.find(({ resource, verb }) => resource === 'clusterstacks' && verb === 'patch')?.receivedAt ?? 0;
  const ended = Math.max(...seen.filter(isRebased).map(({ answeredAt }) => answeredAt));
  const pods = seen.filter(({ resource, verb }) => resource === 'pods' && verb === 'create').length;
  const builds = await kube.list<Build>('Build', { namespace, labelSelector: 'image.kpack.io/buildNumber=2' });
  const ok = builds.filter(({ status }) =>
    status?.conditions?.some(({ type, status: is }) => type === 'Succeeded' && is === 'True'),
  ).length;
  const seconds = (ended - begun) / 1000;
  const perSecond = images.length / seconds;
  const requests = registry.requests().length / images.length;
  return [
    {
      measure: `stack change → ${images.length} Images rebased (stand-ins, ${layersEach} layers)`,
      measured: `${round(seconds)} s, ${round(perSecond)}/s, ${pods} pods, ${ok} succeeded, ${round(requests)} registry requests each`,
      goal: '≥ 20.5/s (15× upstream), 0 pods',
      reached: perSecond >= 15 * upstreamPerSecond && pods === 0 && ok === images.length,
      upstream: '20 in 14.6 s (1.4/s), 20 pods',
      figures: { seconds, perSecond, pods, succeeded: ok, requests },
    },
  ];
};
