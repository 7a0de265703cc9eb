/** What a real API server says: of pods that policies deny, of one that is evicted, and of who wrote a label. */
import type { PersistentVolumeClaim, Pod } from 'kubernetes-types/core/v1.d.ts';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { disruptionOf } from '../../../lib/builds/disruption.ts';
import { statusAfter } from '../../../lib/builds/failure.ts';
import { buildPod } from '../../../lib/builds/pod/build-pod.ts';
import { ExpectedError, PermanentError } from '../../../lib/errors/expected.ts';
import { type KubeClient, kubeClient } from '../../../lib/kube/client.ts';
import { mergedLabels } from '../../../lib/kube/merged-labels.ts';
import type { KubeObject } from '../../../lib/kube/object.ts';
import { type KubeTransport, kubeTransport } from '../../../lib/kube/transport.ts';
import { type ApiServer, apiServerIsHere, startApiServer } from '../../support/api-server.ts';
import { buildB, contextB } from '../../unit/builds/base-build.ts';

const namespace = 'some-namespace';
const admission = '/apis/admissionregistration.k8s.io/v1';

describe.runIf(apiServerIsHere)('a real API server', () => {
  let server: ApiServer;
  let transport: KubeTransport;
  let kube: KubeClient;

  beforeAll(async () => {
    server = await startApiServer();
    transport = kubeTransport(server.config);
    kube = kubeClient(transport);
    await server.api.ensure('/api/v1/namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: namespace },
    });
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'someserviceaccount' } };
    await server.api.ensure(`/api/v1/namespaces/${namespace}/serviceaccounts`, account);
  });
  afterAll(async () => {
    transport?.close();
    await server?.stop();
  });

  /** What is said of a pod with this label and spec. */
  const refusal = async (label: string, spec: object = {}): Promise<ExpectedError | PermanentError> => {
    const pod = buildPod(buildB(spec, { name: `refused-${label}`, labels: { refuse: label } }), contextB());
    const made: unknown = await kube.create(pod as KubeObject).then(
      () => 'made',
      (error: unknown) => error,
    );
    if (made instanceof ExpectedError || made instanceof PermanentError) return made;
    throw new Error('the pod was made');
  };
  const conditionOf = (failure: ExpectedError | PermanentError) =>
    statusAfter(buildB(), failure, new Date())?.conditions?.[0];

  it.each([
    ['invalid', undefined, 422],
    ['forbidden', 'Forbidden', 403],
    ['too-large', 'RequestEntityTooLarge', 413],
  ])('denies by a policy with reason %s: its words are told, and it is waited for', async (name, reason, status) => {
    await server.api.ensure(`${admission}/validatingadmissionpolicies`, {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name },
      spec: {
        matchConstraints: {
          resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
        },
        validations: [
          {
            expression: `!has(object.metadata.labels) || !("refuse" in object.metadata.labels) || object.metadata.labels.refuse != "${name}"`,
            message: `the policy ${name} says no`,
            ...(reason !== undefined && { reason }),
          },
        ],
      },
    });
    await server.api.ensure(`${admission}/validatingadmissionpolicybindings`, {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name },
      spec: { policyName: name, validationActions: ['Deny'] },
    });
    // A policy is in force moments after it was written; until then pods are made.
    const failure = await vi.waitFor(
      async () => {
        try {
          return await refusal(name);
        } catch (error) {
          await kube.delete((await kube.get({ kind: 'Pod', namespace, name: `refused-${name}-build-pod` })) ?? {});
          throw error;
        }
      },
      { timeout: 20_000, interval: 500 },
    );
    expect(failure).toMatchObject({ code: 'forbidden', status, pace: 'slow' });
    expect(conditionOf(failure)).toMatchObject({ status: 'Unknown', reason: 'PodRefused' });
    expect(conditionOf(failure)?.message).toContain(`the policy ${name} says no`);
  });

  it('refuses for a quota in words that are told, and it is waited for', async () => {
    const quotas = `/api/v1/namespaces/${namespace}/resourcequotas`;
    const quota = {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'full', namespace },
      spec: { hard: { pods: '0' } },
      status: { hard: { pods: '0' }, used: { pods: '0' } },
    };
    await server.api.ensure(quotas, quota);
    // No controller runs here that would count.
    const made = (await server.api.send('GET', `${quotas}/full`)) as object;
    await server.api.send('PUT', `${quotas}/full/status`, { ...made, status: quota.status });
    try {
      const failure = await vi.waitFor(() => refusal('quota'), { timeout: 20_000, interval: 500 });
      expect(failure).toMatchObject({ code: 'forbidden', status: 403, pace: 'slow' });
      expect(conditionOf(failure)).toMatchObject({ status: 'Unknown', reason: 'Retrying' });
      expect(conditionOf(failure)?.message).toContain('exceeded quota: full');
    } finally {
      await server.api.send('DELETE', `${quotas}/full`);
    }
  });

  it('names a priority class that is not there', async () => {
    const failure = await refusal('priority', { priorityClassName: 'nowhere' });
    expect(conditionOf(failure)).toMatchObject({ status: 'Unknown', reason: 'PodRefused' });
    expect(conditionOf(failure)?.message).toContain('no PriorityClass with name nowhere was found');
  });

  it('names a runtime class that is not there', async () => {
    const failure = await vi.waitFor(() => refusal('runtime', { runtimeClassName: 'nowhere' }), { timeout: 10_000 });
    expect(conditionOf(failure)).toMatchObject({ status: 'Unknown', reason: 'PodRefused' });
    expect(conditionOf(failure)?.message).toContain('create RuntimeClass nowhere');
  });

  it('finds a pod invalid that can never be one: that is final', async () => {
    const failure = await refusal('never', { tolerations: [{ key: 'k', operator: 'Maybe' }] });
    expect(failure).toBeInstanceOf(PermanentError);
    expect(conditionOf(failure)).toMatchObject({ status: 'False' });
  });

  it('shows of an evicted pod what tells it from one that somebody deleted', async () => {
    const made = async (name: string): Promise<Pod & KubeObject> => {
      const pod = buildPod(buildB({}, { name }), contextB());
      return kube.create({
        ...pod,
        spec: { ...pod.spec, containers: pod.spec?.containers ?? [], nodeName: 'node' },
      });
    };
    const [evicted, deleted] = [await made('evicted'), await made('deleted')];
    const path = (pod: KubeObject): string => `/api/v1/namespaces/${namespace}/pods/${pod.metadata?.name ?? ''}`;
    // Pods that never ran go at once; these are to end with their grace period.
    for (const pod of [evicted, deleted])
      await kube.replaceStatus({ ...pod, status: { phase: 'Running', startTime: '2026-11-21T09:00:00Z' } });
    await server.api.send('POST', `${path(evicted)}/eviction`, {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name: evicted.metadata?.name, namespace },
    });
    await server.api.send('DELETE', path(deleted));
    const seen = async (pod: KubeObject) =>
      (await kube.get<Pod & KubeObject>({ kind: 'Pod', namespace, name: pod.metadata?.name ?? '' })) ?? {};
    expect(disruptionOf(await seen(evicted))).toStrictEqual({ reason: 'Evicted', words: 'Eviction API: evicting' });
    expect((await seen(deleted)).metadata?.deletionTimestamp).toBeDefined();
    expect(disruptionOf(await seen(deleted))).toBeUndefined();
  });

  it('knows whose a label is, so that ours go and those of others stay', async () => {
    const claim = await kube.create<PersistentVolumeClaim & KubeObject>({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'labelled', namespace, labels: { ours: 'x', taken: 'x' } },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    });
    const path = `/api/v1/namespaces/${namespace}/persistentvolumeclaims/labelled`;
    await server.api.send('PUT', path, {
      ...claim,
      metadata: { ...claim.metadata, labels: { ours: 'x', taken: 'y', theirs: 'z' } },
    });
    const now = (await kube.get({ kind: 'PersistentVolumeClaim', namespace, name: 'labelled' })) ?? {};
    expect(mergedLabels(now, { fresh: 'w' })).toStrictEqual({ taken: 'y', theirs: 'z', fresh: 'w' });
  });
});
