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
];

describe('a pod that a policy denies', () => {
  it.each(denials.flatMap((message) => [400, 401, 403, 413, 422].map((status) => [status, message] as const)))(
    'with %i (%s) waits for the policy, and says its words',
    async (status, message) => {
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
    },
  );

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
