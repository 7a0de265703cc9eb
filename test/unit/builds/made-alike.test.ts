import type { Container, Pod, PodSpec } from 'kubernetes-types/core/v1.d.ts';
import { describe, expect, it } from 'vitest';
import { differenceFrom } from '../../../lib/builds/made-alike.ts';
import { buildPod } from '../../../lib/builds/pod/build-pod.ts';
import { admitted } from './admitted-pod.ts';
import { buildB, contextB, rebaseB } from './base-build.ts';

const wanted = buildPod(buildB(), contextB());
const alone = { sidecars: false };

/** The admitted pod with its spec changed. */
const with_ = (change: (spec: PodSpec) => Partial<PodSpec>): Pod => {
  const pod = admitted(wanted);
  const spec = pod.spec ?? { containers: [] };
  return { ...pod, spec: { ...spec, ...change(spec) } };
};
/** With one container of it changed. */
const withStep = (name: string, change: (step: Container) => Partial<Container>): Pod => {
  const changed = (steps: readonly Container[] = []): Container[] =>
    steps.map((step) => (step.name === name ? { ...step, ...change(step) } : step));
  return with_(({ initContainers, containers }) => ({
    initContainers: changed(initContainers),
    containers: changed(containers),
  }));
};
const emptyDir = { name: 'mine', emptyDir: {} };
const token = { name: 'mine', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } };
const foreign: Container = { name: 'proxy', image: 'proxy', volumeMounts: [{ name: 'mine', mountPath: '/mine' }] };

describe('a pod of which nothing is known but its name', () => {
  it.each([
    ['a build', buildB(), contextB()],
    ['a rebase', rebaseB(), contextB()],
    ['a build with injected sidecars', buildB(), contextB({ settings: { injectedSidecars: true } })],
    [
      'a build with image extensions',
      buildB(),
      contextB({ builder: { hasExtensions: true, platformApis: ['0.12', '0.13'] } }),
    ],
  ])('is what would be made of %s, with all that the API server adds', (_, build, context) => {
    const pod = buildPod(build, context);
    expect(differenceFrom(pod, admitted(pod), alone)).toBeUndefined();
  });

  it('may run elsewhere and later than asked for, and with the identity that webhooks of EKS add', () => {
    const mount = { name: 'aws', mountPath: '/var/run/secrets/eks.amazonaws.com/serviceaccount', readOnly: true };
    const pod = withStep('build', ({ env = [], volumeMounts = [] }) => ({
      env: [...env, { name: 'AWS_ROLE_ARN', value: 'arn:aws:iam::1:role/r' }],
      volumeMounts: [...volumeMounts, mount],
      imagePullPolicy: 'Always',
    }));
    const volumes = [...(pod.spec?.volumes ?? []), { ...token, name: 'aws' }];
    const more = { volumes, nodeName: 'another', activeDeadlineSeconds: 1, schedulerName: 'mine' };
    expect(differenceFrom(wanted, { ...pod, spec: { ...pod.spec, ...more } as PodSpec }, alone)).toBeUndefined();
  });

  it('may have containers that were injected beside it, where that is foreseen', () => {
    const pod = with_(({ containers, volumes = [] }) => ({
      containers: [...containers, foreign],
      volumes: [...volumes, emptyDir],
    }));
    expect(differenceFrom(wanted, pod, { sidecars: true })).toBeUndefined();
    expect(differenceFrom(wanted, pod, alone)).toBe('spec.containers[proxy]');
  });

  it.each<[what: string, pod: Pod, path: string]>([
    ['another image', withStep('build', () => ({ image: 'evil' })), 'spec.initContainers[build].image'],
    ['another command', withStep('export', () => ({ command: ['/evil'] })), 'spec.initContainers[export].command'],
    [
      'another argument',
      withStep('prepare', ({ args = [] }) => ({ args: args.slice(1) })),
      'spec.initContainers[prepare].args',
    ],
    [
      'a hook before it ends',
      withStep('completion', () => ({ lifecycle: { preStop: { exec: { command: ['/evil'] } } } })),
      'spec.containers[completion].lifecycle',
    ],
    [
      'a step that is restarted',
      withStep('prepare', () => ({ restartPolicy: 'Always' })),
      'spec.initContainers[prepare].restartPolicy',
    ],
    [
      'variables from elsewhere',
      withStep('prepare', () => ({ envFrom: [{ configMapRef: { name: 'mine' } }] })),
      'spec.initContainers[prepare].envFrom',
    ],
    [
      'a variable more',
      withStep('build', ({ env = [] }) => ({ env: [...env, { name: 'LD_PRELOAD', value: '/evil.so' }] })),
      'spec.initContainers[build].env',
    ],
    [
      'a variable twice',
      withStep('prepare', ({ env = [] }) => ({ env: [...env, { name: 'GIT_URL', value: 'https://evil.example' }] })),
      'spec.initContainers[prepare].env',
    ],
    [
      'a variable of another value',
      withStep('prepare', ({ env = [] }) => ({ env: env.map((one) => ({ ...one, value: 'x' })) })),
      'spec.initContainers[prepare].env[0].value',
    ],
    ['more rights', withStep('build', () => ({ securityContext: { runAsUser: 0 } })), 'spec.initContainers[build]'],
    [
      'a message elsewhere',
      withStep('prepare', () => ({ terminationMessagePath: '/workspace/message' })),
      'spec.initContainers[prepare].terminationMessagePath',
    ],
    [
      'a step less',
      with_(({ initContainers = [] }) => ({ initContainers: initContainers.slice(1) })),
      'spec.initContainers',
    ],
    [
      'the steps in another order',
      with_(({ initContainers = [] }) => ({ initContainers: initContainers.toReversed() })),
      'spec.initContainers[prepare]',
    ],
    [
      'a container more',
      with_(({ initContainers = [] }) => ({ initContainers: [foreign, ...initContainers] })),
      'spec.initContainers[proxy]',
    ],
    [
      'a debugging container',
      with_(() => ({ ephemeralContainers: [{ name: 'debug', image: 'evil' }] })),
      'spec.ephemeralContainers',
    ],
    [
      'names that mean other hosts',
      with_(() => ({ hostAliases: [{ ip: '192.0.2.1', hostnames: ['github.com'] }] })),
      'spec.hostAliases',
    ],
    ['another name server', with_(() => ({ dnsPolicy: 'None' })), 'spec.dnsPolicy'],
    ['the network of its node', with_(() => ({ hostNetwork: true })), 'spec.hostNetwork'],
    ['shared processes', with_(() => ({ shareProcessNamespace: true })), 'spec.shareProcessNamespace'],
    ['another account', with_(() => ({ serviceAccountName: 'mine' })), 'spec.serviceAccountName'],
    ['another account by its old name', with_(() => ({ serviceAccount: 'mine' })), 'spec.serviceAccount'],
    ['another runtime', with_(() => ({ runtimeClassName: 'mine' })), 'spec.runtimeClassName'],
    [
      'a volume of another kind',
      with_(({ volumes = [] }) => ({
        volumes: volumes.map(({ name }) => ({ name, persistentVolumeClaim: { claimName: 'mine' } })),
      })),
      'spec.volumes',
    ],
    [
      'a mount more',
      {
        ...withStep('build', ({ volumeMounts = [] }) => ({
          volumeMounts: [...volumeMounts, { name: 'mine', mountPath: '/cnb/lifecycle' }],
        })),
      },
      'spec.initContainers[build].volumeMounts',
    ],
  ])('is not with %s', (_, pod, path) => {
    expect(differenceFrom(wanted, pod, alone)).toContain(path);
  });

  it.each(['/cnb/lifecycle', '/var/run/secrets/../../../cnb', '/var/run/secrets'])(
    'is not with tokens mounted at %s',
    (mountPath) => {
      const pod = withStep('build', ({ volumeMounts = [] }) => ({
        volumeMounts: [...volumeMounts, { name: 'mine', mountPath, readOnly: true }],
      }));
      const volumes = [...(pod.spec?.volumes ?? []), token];
      const found: Pod = { ...pod, spec: { ...pod.spec, volumes } as PodSpec };
      expect(differenceFrom(wanted, found, alone)).toBe('spec.initContainers[build].volumeMounts');
    },
  );

  it('is not with an injected container that has one of its volumes', () => {
    const [mine = emptyDir] = wanted.spec?.volumes ?? [];
    const pod = with_(({ containers }) => ({
      containers: [...containers, { ...foreign, volumeMounts: [{ name: mine.name, mountPath: '/mine' }] }],
    }));
    expect(differenceFrom(wanted, pod, { sidecars: true })).toBe('spec.containers[proxy]');
  });
});
