/**
 * Every request of every recorded command of `kp` 0.13, on a real API server with our definitions: answered with the code that kpack's cluster gave,
 * and whatever `kp` waits for by a watch arrives. What needs no registry is reconciled by our reconcilers; a node is not there, so logs of pods are not asked for.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Build } from '../../../lib/api/build.ts';
import type { Condition } from '../../../lib/api/condition.ts';
import type { Image } from '../../../lib/api/image.ts';
import { kindNames, kinds } from '../../../lib/api/kinds.ts';
import type { SourceResolver } from '../../../lib/api/source-resolver.ts';
import { imageReconciler } from '../../../lib/images/reconcile.ts';
import { type KubeClient, kubeClient } from '../../../lib/kube/client.ts';
import { KubeError } from '../../../lib/kube/errors.ts';
import { type KubeObject, keyOf } from '../../../lib/kube/object.ts';
import { type KubeTransport, kubeTransport } from '../../../lib/kube/transport.ts';
import { conditionOf, statusOf } from '../../../lib/reconcile/conditions.ts';
import { apiServerIsHere } from '../../support/api-server.ts';
import { builderStatus, digest, goodStatus, revision } from '../../support/image-world.ts';
import { asSent, type KpCommand, type KpRequest, kpCommands } from '../../support/kp-recording.ts';
import { type KpackCluster, startKpackCluster } from '../../support/kpack-cluster.ts';
import { runPass } from '../../support/run-pass.ts';

type Watched = KubeObject & {
  readonly status?: {
    readonly observedGeneration?: number;
    readonly latestBuildImageGeneration?: number;
    readonly conditions?: readonly Condition[];
  };
};

/** When `kp` stops to wait, as its source has it: for an Image once a Build is scheduled, for a Build at its end, for all else at a verdict. */
const isOver = ({ kind, metadata, status }: Watched): boolean => {
  if (kind === 'Build') return statusOf({ status }, 'Succeeded') !== 'Unknown';
  if (status?.observedGeneration !== metadata?.generation) return false;
  const isScheduled = kind === 'Image' && status?.latestBuildImageGeneration === metadata?.generation;
  return isScheduled || statusOf({ status }, 'Ready') !== 'Unknown';
};

/** Items of a list do not say what they are. */
const kindIn = ({ uri }: KpRequest): string => kindNames.find((kind) => uri.includes(`/${kinds[kind].plural}?`)) ?? '';
const versionIn = ({ uri }: KpRequest): string => `kpack.io/${uri.includes('/v1alpha1/') ? 'v1alpha1' : 'v1alpha2'}`;

/** What a request was answered with: where a watch goes on, and what a list found. */
interface Answered {
  readonly code: number;
  readonly version?: string | undefined;
  readonly items?: readonly Watched[];
}

const ready = [{ type: 'Ready', status: 'True' }] as const;
const ofBuildpacks = ['ClusterStore', 'ClusterStack', 'ClusterLifecycle', 'ClusterBuildpack', 'Buildpack'] as const;
const builders = ['Builder', 'ClusterBuilder'] as const;

describe.runIf(apiServerIsHere)('kp', () => {
  let cluster: KpackCluster;
  let transport: KubeTransport;
  let kube: KubeClient;

  const say = async (object: Watched, status: object): Promise<void> => {
    const observedGeneration = object.metadata?.generation;
    if (object.status?.observedGeneration === observedGeneration) return;
    await kube.replaceStatus({ ...object, status: { ...status, observedGeneration } } as Watched);
  };

  /** What those with a registry would say. */
  const resolve = async (): Promise<void> => {
    for (const kind of ofBuildpacks)
      for (const object of await kube.list<Watched>(kind)) await say(object, { conditions: ready });
    for (const kind of builders) for (const object of await kube.list<Watched>(kind)) await say(object, builderStatus);
    for (const resolver of await kube.list<SourceResolver & Watched>('SourceResolver')) {
      const url = resolver.spec.source.git?.url ?? 'https://git.example/x';
      await say(resolver, { conditions: ready, source: { git: { url, revision: revision('a'), type: 'Branch' } } });
    }
  };

  /** Everything that kpackless does until nothing is left to do; Builds end well. */
  const settle = async (): Promise<void> => {
    const reconciler = imageReconciler({ priorityClasses: false });
    for (let round = 0; round < 4; round += 1) {
      await resolve();
      for (const image of await kube.list<Image & KubeObject>('Image')) await runPass(reconciler, kube, keyOf(image));
      if (round === 1)
        for (const build of await kube.list<Build & KubeObject>('Build'))
          if (conditionOf(build, 'Succeeded') === undefined)
            await kube.replaceStatus({
              ...build,
              status: { ...goodStatus, latestImage: `registry.example/app@${digest('b')}` },
            });
    }
  };

  const answered = async (request: KpRequest): Promise<Answered> => {
    try {
      const { status, body } = await transport.send(asSent(request));
      const { metadata, items = [] } = JSON.parse(body) as KubeObject & { readonly items?: readonly Watched[] };
      return { code: status, version: metadata?.resourceVersion, items };
    } catch (error) {
      if (error instanceof KubeError && error.status !== undefined) return { code: error.status };
      throw error;
    }
  };

  /** Waits as `kp` does, while kpackless works; gives the last object that it saw. */
  const waited = async (request: KpRequest, { version, items = [] }: Answered): Promise<Watched> => {
    const listed = items
      .map((item) => ({ ...item, kind: kindIn(request), apiVersion: versionIn(request) }))
      .find(isOver);
    if (listed !== undefined) return listed;
    const stream = await transport.stream({ ...asSent(request, version), deadlineSeconds: 20 });
    const working = settle();
    let rest = '';
    try {
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        const lines = `${rest}${chunk.toString('utf8')}`.split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) {
          const { type, object } = JSON.parse(line) as { readonly type: string; readonly object: Watched };
          if (type === 'ERROR') throw new Error(`the watch ended: ${line}`);
          if (type !== 'BOOKMARK' && isOver(object)) return object;
        }
      }
    } finally {
      stream.destroy();
      await working;
    }
    throw new Error(`the watch of ${request.uri} ended without what kp waits for`);
  };

  beforeAll(async () => {
    cluster = await startKpackCluster();
    transport = kubeTransport(cluster.server.config);
    kube = kubeClient(transport);
    for (const name of ['kpack', 'kpns'])
      await kube.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    // Made by who is not there: the controller manager.
    await kube.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: 'kpns' } });
  });

  afterAll(async () => {
    transport?.close();
    await cluster?.stop();
  });

  /** Watches of pods are `kp`'s way to their logs, which the node has. */
  const ofNode = ({ uri }: KpRequest): boolean => /\/pods[?/]/.test(uri);

  const replay = async ({ requests }: KpCommand): Promise<readonly string[]> => {
    const differences: string[] = [];
    let before: Answered = { code: 0 };
    for (const request of requests.filter((one) => !ofNode(one))) {
      if (request.verb === 'watch') {
        const { kind, apiVersion, status } = await waited(request, before);
        if (request.uri.includes('/v1alpha1/')) expect(apiVersion).toBe('kpack.io/v1alpha1');
        const happy = conditionOf({ status }, kind === 'Build' ? 'Succeeded' : 'Ready');
        if (happy?.status === 'False') differences.push(`${request.uri}: ${happy.message}`);
      } else {
        before = await answered(request);
        const { code } = before;
        if (code !== request.code)
          differences.push(`${request.verb} ${request.uri}: ${code} in place of ${request.code}`);
      }
    }
    await settle();
    return differences;
  };

  it.each(kpCommands.map((command, index) => [index, command.command, command] as const))(
    '%i %s is answered as kpack answers it',
    async (_, _text, command) => {
      expect(await replay(command)).toEqual([]);
    },
  );

  it('leaves nothing unsettled: every Image and builder that is left has a verdict', async () => {
    for (const kind of ['Image', ...builders])
      for (const object of await kube.list<Watched>(kind)) expect([keyOf(object).name, isOver(object)]).toContain(true);
    const builds = await kube.list<Build & KubeObject>('Build');
    expect(builds.map((build) => statusOf(build, 'Succeeded')).filter((status) => status !== 'True')).toEqual([]);
    expect(builds.length).toBeGreaterThan(3);
  });
});
