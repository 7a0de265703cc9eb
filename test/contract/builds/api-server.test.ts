/** Our pods as a real API server judges them: valid in every field, and admitted where only the Pod Security Standard `restricted` is. */
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Build } from '../../../lib/api/build.ts';
import { statusAfter } from '../../../lib/builds/failure.ts';
import { differenceFrom } from '../../../lib/builds/made-alike.ts';
import { buildPod } from '../../../lib/builds/pod/build-pod.ts';
import type { PodContext } from '../../../lib/builds/pod/context.ts';
import { KubeError } from '../../../lib/kube/errors.ts';
import { type ApiServer, apiServerIsHere, startApiServer } from '../../support/api-server.ts';
import { baseSecrets, buildB, contextB, cosignSecret, rebaseB } from '../../unit/builds/base-build.ts';

const namespace = 'some-namespace';
const parallel = contextB({ settings: { buildSteps: 'parallel' } });
const injectedSidecars = contextB({ settings: { injectedSidecars: true } });
const image = 'registry.example/builder@sha256:' + 'b'.repeat(64);

const everything = buildB({
  services: [{ kind: 'Secret', name: 'database' }],
  env: [{ name: 'A', value: 'b' }],
  resources: { limits: { memory: '1Gi' }, requests: { cpu: '100m' } },
  tolerations: [{ key: 'k', operator: 'Exists' }],
  nodeSelector: { disk: 'ssd' },
  affinity: { nodeAffinity: {} },
  schedulerName: 'mine',
  runtimeClassName: 'gvisor',
  defaultProcess: 'web',
  projectDescriptorPath: 'sub/project.toml',
  creationTime: 'now',
  activeDeadlineSeconds: 1800,
  notary: { v1: { url: 'https://notary.example', secretRef: { name: 'notary' } } },
  cosign: { annotations: [{ name: 'a', value: 'b c' }] },
});
const bindings = [
  { kind: 'service', name: 'database', secret: 'database' },
  { kind: 'cnb', name: 'old', metadata: 'm', secret: 's' },
] as const;
const oddBindings = [
  { kind: 'service', name: 'my.dotted.secret', secret: 'my.dotted.secret' },
  { kind: 'cnb', name: 'x'.repeat(100), metadata: 'm', secret: 's' },
] as const;
const both = { name: 'both', type: 'kubernetes.io/dockerconfigjson', annotations: {}, signsImages: true };

const pods: readonly (readonly [title: string, Build, PodContext])[] = [
  ['a plain build', buildB(), contextB()],
  ['a build with everything', everything, contextB({ bindings, secrets: [...baseSecrets, cosignSecret('key')] })],
  ['a rebase', rebaseB({ activeDeadlineSeconds: 60 }), contextB()],
  ['a build with injected sidecars', everything, injectedSidecars],
  ['a rebase with injected sidecars', rebaseB(), injectedSidecars],
  ['a build whose steps start at once', everything, parallel],
  ['one that asks for limits alone', buildB({ resources: { limits: { cpu: '1', memory: '1Gi' } } }), parallel],
  [
    'one that asks for devices and huge pages',
    buildB({
      resources: {
        limits: { 'example.com/gpu': '1', 'hugepages-2Mi': '4Mi', memory: '1Gi', 'ephemeral-storage': '1Gi' },
        requests: { 'example.com/gpu': '1', cpu: '1' },
      },
    }),
    parallel,
  ],
  // What follows is refused when kpack makes it (spec 03 §22.3, §22.4, §22.8).
  ['bindings with dots and long names', buildB(), contextB({ bindings: oddBindings })],
  ['a Secret that is credential and signing key', buildB(), contextB({ secrets: [both] })],
  [
    'a pull secret that is also a Secret of the account',
    buildB({ builder: { image, imagePullSecrets: [{ name: 'docker-secret-2' }] } }),
    contextB(),
  ],
  [
    'a sub path with a leading slash',
    buildB({ source: { git: { url: 'u', revision: 'r' }, subPath: '/a/b' } }),
    contextB(),
  ],
];

describe.runIf(apiServerIsHere)('a real API server', () => {
  let server: ApiServer;

  beforeAll(async () => {
    server = await startApiServer();
    await server.api.ensure('/api/v1/namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: namespace, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
    });
    await server.api.ensure(`/api/v1/namespaces/${namespace}/serviceaccounts`, {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'someserviceaccount' },
    });
    await server.api.ensure('/apis/node.k8s.io/v1/runtimeclasses', {
      apiVersion: 'node.k8s.io/v1',
      kind: 'RuntimeClass',
      metadata: { name: 'gvisor' },
      handler: 'runsc',
    });
  });

  afterAll(async () => {
    await server?.stop();
  });

  it.each(pods)('takes the pod of %s', async (_, build, context) => {
    const path = `/api/v1/namespaces/${namespace}/pods?dryRun=All&fieldValidation=Strict`;
    // What admission looks up in caches of its own may have been made a moment ago.
    const taken = vi.waitFor(() => server.api.send('POST', path, buildPod(build, context)), { timeout: 10_000 });
    expect(await taken).toMatchObject({
      metadata: { name: 'build-name-build-pod' },
      status: { phase: 'Pending' },
    });
  });

  it.each(pods)('adds nothing to the pod of %s that makes it look like somebody else’s', async (_, build, context) => {
    const path = `/api/v1/namespaces/${namespace}/pods?dryRun=All`;
    const pod = buildPod(build, context);
    const stored = (await server.api.send('POST', path, pod)) as Pod;
    expect(Object.keys(stored.spec ?? {}).length).toBeGreaterThan(Object.keys(pod.spec ?? {}).length);
    expect(differenceFrom(pod, stored, { sidecars: false })).toBeUndefined();
  });

  it.each([
    ['kpack-build-high-priority', { value: 1000 }],
    ['kpack-build-low-priority', { value: 1, preemptionPolicy: 'Never' }],
  ])('takes pods of class %s once it is there, and says what we look for before', async (name, priority) => {
    const path = `/api/v1/namespaces/${namespace}/pods?dryRun=All`;
    const build = buildB({ priorityClassName: name });
    const send = () => server.api.send('POST', path, buildPod(build, contextB()));
    const refused = await send().then(String, (error: unknown) => (error as Error).message);
    const failure = new KubeError('forbidden', refused, {});
    const [condition] = statusAfter(build, failure, new Date())?.conditions ?? [];
    expect(condition).toMatchObject({ status: 'Unknown', reason: 'PodRefused' });
    const options = Object.entries(priority).map(
      ([key, value]) => `--${key.replace('preemptionP', 'preemption-p')}=${value}`,
    );
    expect(condition?.message).toContain(`kubectl create priorityclass ${name} ${options.join(' ')}`);
    await server.api.ensure('/apis/scheduling.k8s.io/v1/priorityclasses', {
      apiVersion: 'scheduling.k8s.io/v1',
      kind: 'PriorityClass',
      metadata: { name },
      ...priority,
    });
    expect(await vi.waitFor(send, { timeout: 10_000 })).toMatchObject({
      spec: { priority: priority.value, priorityClassName: name },
    });
  });

  it('enforces restricted in that namespace, so that the above says something', async () => {
    const { spec, ...pod } = buildPod(buildB(), contextB());
    const containers = (spec?.containers ?? []).map((container) => ({ ...container, securityContext: {} }));
    const path = `/api/v1/namespaces/${namespace}/pods?dryRun=All`;
    const loosened = server.api.send('POST', path, { ...pod, spec: { ...spec, containers } });
    await expect(loosened).rejects.toThrow('violates PodSecurity "restricted:latest"');
  });
});
