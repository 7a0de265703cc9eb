/**
 * The Image reconciler against a real API server with our definitions: what the fake does not do (schemas, defaults, pruning, claims'
 * own defaults) must not make a pass write what the last one wrote, or refuse what it makes.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { definitionOf } from '../../../infra/crds/definition.ts';
import { writeKubeconfig } from '../../../infra/local/cluster/kubeconfig.ts';
import { waitUntil } from '../../../infra/local/cluster/wait.ts';
import type { Build } from '../../../lib/api/build.ts';
import type { Image } from '../../../lib/api/image.ts';
import { crdName, kindNames, kinds } from '../../../lib/api/kinds.ts';
import type { SourceResolver } from '../../../lib/api/source-resolver.ts';
import { imageReconciler } from '../../../lib/images/reconcile.ts';
import { type KubeClient, kubeClient } from '../../../lib/kube/client.ts';
import { kubeconfigFile } from '../../../lib/kube/kubeconfig.ts';
import type { KubeObject } from '../../../lib/kube/object.ts';
import { type KubeTransport, kubeTransport } from '../../../lib/kube/transport.ts';
import { type ApiServer, apiServerIsHere, startApiServer } from '../../support/api-server.ts';
import { golden, goldenFiles } from '../../support/golden.ts';
import { runPass } from '../../support/run-pass.ts';

interface Recording {
  readonly input: Image;
  readonly sourceResolver: SourceResolver | null;
  readonly builds: readonly Build[];
}
type WithStatus = KubeObject & { readonly status?: unknown };

const folder = 'default';
const reconciler = imageReconciler({ priorityClasses: false });
const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

describe.runIf(apiServerIsHere)('Images on a real API server', () => {
  let server: ApiServer;
  let transport: KubeTransport;
  let kube: KubeClient;
  let requests: string[] = [];

  const withStatus = async (object: WithStatus): Promise<void> => {
    const created = await kube.create(object);
    await kube.replaceStatus({ ...created, status: object.status });
  };

  beforeAll(async () => {
    server = await startApiServer();
    for (const kind of kindNames) await server.api.send('POST', definitions, definitionOf(kind));
    for (const kind of kindNames) {
      const served = async (): Promise<boolean> =>
        (await server.api.send('GET', `/apis/kpack.io/v1alpha2/${kinds[kind].plural}`)) !== undefined;
      await waitUntil(served, { what: `${crdName(kind)} being served`, timeout: 20_000 });
    }
    // Some were recorded in the second namespace.
    for (const name of ['gold-default', 'gold-default2'])
      await server.api.send('POST', '/api/v1/namespaces', { metadata: { name } });
    writeKubeconfig(server.layout.kubeconfig, server.url, server.pki.ca, server.pki.admin);
    transport = kubeTransport(kubeconfigFile(server.layout.kubeconfig));
    kube = kubeClient({
      ...transport,
      send: (request) => {
        requests.push(request.method);
        return transport.send(request);
      },
    });
    const { observed } = golden(`${folder}/_world.json`) as { readonly observed: Readonly<Record<string, WithStatus>> };
    for (const builder of Object.values(observed))
      if (builder.kind === 'ClusterBuilder') await withStatus(builder);
      else if (builder.kind === 'Builder')
        for (const namespace of ['gold-default', 'gold-default2'])
          await withStatus({ ...builder, metadata: { ...builder.metadata, namespace } });
  });

  afterAll(async () => {
    transport?.close();
    await server?.stop();
  });

  /** Recorded without admission, which refuses them, as kpack’s does: a creation time that is none, a revision of no characters. */
  const refusedWhenWritten = new Set(['creation-time.json', 'git-default-revision-empty.json']);
  const recordings = goldenFiles(folder).filter((file) => !refusedWhenWritten.has(file));

  it.each(recordings)('%s: every pass is taken, and the second of each kind writes nothing', async (file) => {
    const { input, sourceResolver, builds } = golden(`${folder}/${file}`) as Recording;
    const { name, namespace = '' } = input.metadata;
    await kube.create(input);
    /** A pass and the same once more: what they came to, and requests of the second. */
    const twice = async () => {
      const first = await runPass(reconciler, kube, { kind: 'Image', namespace, name });
      requests = [];
      await runPass(reconciler, kube, { kind: 'Image', namespace, name });
      return {
        failed: first.outcome instanceof Error ? first.outcome.message : undefined,
        writes: requests.filter((method) => method !== 'GET'),
        tooManyReads: requests.length > 5,
      };
    };
    const quiet = { failed: undefined, writes: [], tooManyReads: false };

    // The one that makes the resolver leaves it to the next to tell how that fares.
    await runPass(reconciler, kube, { kind: 'Image', namespace, name });
    expect(await twice()).toStrictEqual(quiet);
    const resolver = await kube.get<SourceResolver>({ kind: 'SourceResolver', namespace, name: `${name}-source` });
    // What the Image's own pass resolved stays: kpack drops `stripComponents` of blobs, which kpackless keeps.
    if (resolver !== undefined && resolver.status?.source === undefined)
      await kube.replaceStatus({ ...resolver, status: sourceResolver?.status });
    expect(await twice()).toStrictEqual(quiet);
    const listed = await kube.list<Build>('Build', { namespace, labelSelector: `image.kpack.io/image=${name}` });
    expect(listed.map(({ metadata }) => metadata.name)).toStrictEqual(builds.map(({ metadata }) => metadata.name));
    const ended = { conditions: [{ type: 'Succeeded', status: 'True' }] } as const;
    for (const build of listed) await kube.replaceStatus({ ...build, status: ended });
    expect(await twice()).toStrictEqual(quiet);
    expect(await kube.list('Build', { namespace, labelSelector: `image.kpack.io/image=${name}` })).toHaveLength(
      listed.length,
    );
  });
});
