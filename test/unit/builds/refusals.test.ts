/** What admission policies deny, whatever status they choose, is told in their words and tried again; only what the API says can never work is final. */
import { describe, expect, it } from 'vitest';
import { PermanentError } from '../../../lib/errors/expected.ts';
import { isDenial } from '../../../lib/kube/denied.ts';
import { answerError, saysClusterIsDown } from '../../../lib/kube/errors.ts';
import { buildWorld, podPath } from './build-world.ts';

/** Messages as apiserver writes them: `admission/plugin/webhook/errors/statuserror.go`, `admission/plugin/policy/validating/dispatcher.go`. */
const denials = [
  'admission webhook "validate.kyverno.svc-fail" denied the request: \n\nresource Pod/team/p was blocked due to the following policies',
  'admission webhook "validation.gatekeeper.sh" denied the request: [no-latest] image has tag latest',
  'admission webhook "w.example" denied the request without explanation',
  "pods \"build-name-build-pod\" is forbidden: ValidatingAdmissionPolicy 'limits' with binding 'limits-all' denied request: cpu limit is required",
  "pods \"build-name-build-pod\" is forbidden: MutatingAdmissionPolicy 'm' with binding 'm-all' denied request: no",
  'pods "build-name-build-pod" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true',
  'pods "build-name-build-pod" is forbidden: image policy webhook backend denied one or more images: unsigned',
  'pods "build-name-build-pod" is forbidden: pod node label selector conflicts with its namespace node label selector',
  'pods "build-name-build-pod" is forbidden: pod tolerations (possibly merged with namespace default tolerations) conflict with its namespace whitelist',
  'pods "build-name-build-pod" is forbidden: unable to validate against any security context constraint: [provider "anyuid": Forbidden: not usable by user or serviceaccount]',
];

describe('a pod that a policy denies', () => {
  it.each(
    denials.flatMap((message) =>
      [400, 401, 403, 404, 409, 410, 413, 422, 429, 500, 503].map((status) => [status, message] as const),
    ),
  )('with %i (%s) waits for the policy, and says its words', async (status, message) => {
    const world = buildWorld();
    world.cluster.failNext('POST', '/pods', status, { message, reason: 'Invalid' });
    expect(await world.pass()).toMatchObject({ outcome: { pace: 'slow' } });
    expect(world.condition()).toMatchObject({
      status: 'Unknown',
      reason: 'PodRefused',
      message: expect.stringContaining(message) as string,
    });
    await world.pass();
    expect(world.cluster.has(podPath)).toBe(true);
  });

  it('by a webhook that does not answer is asked for again soon, with the name of the webhook', async () => {
    const world = buildWorld();
    const message =
      'Internal error occurred: failed calling webhook "validate.example": failed to call webhook: Post "https://policy.example:443/": context deadline exceeded';
    for (const _ of [1, 2, 3, 4, 5]) world.cluster.failNext('POST', '/pods', 500, { message, reason: 'InternalError' });
    const { outcome } = await world.pass();
    expect(outcome).toMatchObject({ pace: 'soon' });
    expect(world.condition()).toMatchObject({
      status: 'Unknown',
      reason: 'Retrying',
      message: expect.stringContaining('failed calling webhook "validate.example"') as string,
    });
  });

  it('does not say that the cluster is down or knows us no more', () => {
    expect(saysClusterIsDown(answerError('POST pods', 401, JSON.stringify({ message: denials[3] }), undefined))).toBe(
      false,
    );
  });

  it.each([400, 422])(
    'is told apart from one that the API server finds invalid with %i, which is final',
    async (status) => {
      const message = 'Pod "build-name-build-pod" is invalid: spec.tolerations[0].operator: Invalid value';
      expect(isDenial(message)).toBe(false);
      expect(answerError('POST pods', status, JSON.stringify({ message }), undefined)).toBeInstanceOf(PermanentError);
      const world = buildWorld();
      world.cluster.failNext('POST', '/pods', status, { message });
      await world.pass();
      expect(world.condition()).toMatchObject({ status: 'False', message });
    },
  );

  it('is judged by the beginning of a long message', () => {
    expect(isDenial(`${'x'.repeat(1_000_000)}${denials[0]}`)).toBe(false);
  });
});

describe('a runtime class that is not there', () => {
  it('is named with what to do', async () => {
    const world = buildWorld({ spec: { runtimeClassName: 'gvisor' } });
    const message = 'pods "build-name-build-pod" is forbidden: pod rejected: RuntimeClass "gvisor" not found';
    world.cluster.failNext('POST', '/pods', 403, { message });
    await world.pass();
    expect(world.condition()).toMatchObject({ status: 'Unknown', reason: 'PodRefused' });
    expect(world.condition()['message']).toContain(
      'create RuntimeClass gvisor, or name another in spec.runtimeClassName',
    );
  });
});
