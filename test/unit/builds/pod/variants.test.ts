import type { Container, Pod } from 'kubernetes-types/core/v1.d.ts';
import { describe, expect, it } from 'vitest';
import type { BuildSpec } from '../../../../lib/api/build.ts';
import { buildPod } from '../../../../lib/builds/pod/build-pod.ts';
import { platformApiFor } from '../../../../lib/builds/pod/platform-api.ts';
import {
  buildB,
  contextB,
  cosignSecret,
  mountsOf,
  rebaseB,
  step,
  stepsOf,
  variableOf,
  volumeNames,
} from '../base-build.ts';

describe('the Platform API', () => {
  const upTo = (last: number) => Array.from({ length: last - 1 }, (_, index) => `0.${index + 2}`);

  it.each([
    ['03#51', ['0.2', '0.999'], 'unsupported builder platform API versions: 0.2,0.999'],
    ['of the future', ['0.16', '1.0'], 'unsupported builder platform API versions: 0.16,1.0'],
    ['03#56', ['0.3', '0.2'], 'unsupported builder platform API versions: 0.3,0.2'],
    ['unreadable', ['next'], 'unexpected platform version next: Invalid Semantic Version'],
  ])('%s %j is refused', (_, offered, message) => {
    expect(() => platformApiFor(offered)).toThrow(message);
    expect(() => buildPod(rebaseB(), contextB({ builder: { platformApis: offered } }))).toThrow(message);
  });

  it.each([
    ['03#52', '0.7', '0.7'],
    ['03#53', '1.0', '0.8'],
    ['03#54', undefined, '0.8'],
  ])('%s is the highest that the builder offers up to the maximum %s', (_, maximum, chosen) => {
    expect(platformApiFor(upTo(8), maximum)).toBe(chosen);
  });

  const all = ['0.7', '0.8', '0.9', '0.10', '0.11', '0.12', '0.13', '0.14', '0.15'];

  it.each(all)(
    '%s is spoken where the builder offers nothing else, and changes one variable of the pod alone',
    (api) => {
      const pod = (platformApis: readonly string[]) => buildPod(buildB(), contextB({ builder: { platformApis } }));
      const said = JSON.stringify(pod([api]));
      expect(said).toContain(`{"name":"CNB_PLATFORM_API","value":"${api}"}`);
      expect(said.replaceAll(`"CNB_PLATFORM_API","value":"${api}"`, '"CNB_PLATFORM_API","value":"0.9"')).toBe(
        JSON.stringify(pod(['0.9'])),
      );
    },
  );

  it('03#55 is a newer one than kpack knows only where the builder has dropped the others, then the highest', () => {
    expect(platformApiFor(all)).toBe('0.9');
    expect(platformApiFor(['0.15', '0.8'])).toBe('0.8');
    expect(platformApiFor(['0.10', '0.12'])).toBe('0.12');
    expect(platformApiFor(['0.10', '0.12', '0.15'], '0.14')).toBe('0.12');
    expect(() => platformApiFor(['0.10', '0.12'], '0.9')).toThrow('unsupported builder platform API versions');
  });

  it('keeps the builder’s spelling', () => {
    expect(platformApiFor(['0.9.0'])).toBe('0.9.0');
  });
});

describe('which pod', () => {
  it('03#58 a stack change alone is a rebase', () => {
    expect(stepsOf(buildPod(rebaseB(), contextB())).map(({ name }) => name)).toEqual(['rebase', 'completion']);
  });

  it.each([
    [
      '03#63 another stack',
      buildB({ lastBuild: { image: 'p', stackId: 'T' } }, { annotations: { 'image.kpack.io/reason': 'STACK' } }),
    ],
    ['03#64 several reasons', buildB({}, { annotations: { 'image.kpack.io/reason': 'STACK,CONFIG' } })],
    ['03#65 no last build', rebaseB({ lastBuild: undefined })],
  ])('%s is built from source', (_, build) => {
    expect(stepsOf(buildPod(build, contextB()))).toHaveLength(7);
  });
});

describe('the rebase pod', () => {
  const pod = (spec = {}, context = {}) => buildPod(rebaseB(spec), contextB(context));

  it('03#59 has volumes for registry credentials, report and notary alone', () => {
    expect(volumeNames(pod())).toEqual([
      'secret-volume-2',
      'secret-volume-4',
      'secret-volume-5',
      'secret-volume-6',
      'pull-secret-volume-0',
      'pull-secret-volume-1',
      'pull-secret-volume-2',
      'report-dir',
      'notary-dir',
    ]);
    expect(pod().spec?.securityContext).toEqual({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
  });

  it('03#60 03#61 rebases the last image onto the run image, with registry credentials', () => {
    expect(step(pod(), 'rebase')).toMatchObject({
      command: ['/kpackless/rebase'],
      workingDir: '/workspace',
      env: [{ name: 'BUILD_CHANGES', value: 'changes' }],
      args: [
        '--run-image',
        'builderregistry.io/run',
        '--last-built-image',
        'registry.example/previous',
        '--report',
        '/var/report/report.toml',
        '-basic-docker=docker-secret-1=acr.io',
        '-dockerconfig=docker-secret-2',
        '-dockercfg=docker-secret-3',
        '-dockerconfig=secret.with.dots',
        '-imagepull=image-pull-1',
        '-imagepull=image-pull-2',
        '-imagepull=builder-pull-secret',
        'someimage/name',
        'someimage/name:tag2',
        'someimage/name:tag3',
      ],
    });
  });

  it('03#62 completes without a home', () => {
    expect(step(pod(), 'completion').args).toEqual([
      '-basic-docker=docker-secret-1=acr.io',
      '-dockerconfig=docker-secret-2',
      '-dockercfg=docker-secret-3',
      '-dockerconfig=secret.with.dots',
      '-cosign-annotations=buildTimestamp=19440606.133000',
      '-cosign-annotations=buildNumber=12',
    ]);
    expect(step(pod(), 'completion').env).toEqual([
      { name: 'IMAGE_TAG', value: 'someimage/name' },
      { name: 'CACHE_TAG', value: '' },
      { name: 'TERMINATION_MESSAGE_PATH', value: '/tmp/termination-log' },
    ]);
    const key = pod({}, { secrets: [cosignSecret('key')] });
    expect(mountsOf(key, 'completion')).toEqual(['report-dir', 'notary-dir', 'secret-volume-0']);
  });

  it('03#48 takes the Build’s run image, else the builder’s', () => {
    expect(step(pod({ runImage: { image: '' } }), 'rebase').args?.[1]).toBe('R1');
  });

  it('03#50 has the Build’s deadline too, unlike kpack’s', () => {
    expect(pod({ activeDeadlineSeconds: 1800 }).spec?.activeDeadlineSeconds).toBe(1800);
  });
});

describe('the variant for injected sidecars', () => {
  const settings = { injectedSidecars: true };
  const pod = (build = buildB({ cosign: { annotations: [{ name: 'note', value: 'two words' }] } })) =>
    buildPod(build, contextB({ settings }));

  it('03#74 has no init container: prepare copies what the others start with, before they start', () => {
    expect(pod().spec?.initContainers).toBeUndefined();
    const command = ['/kpackless/shell', 'cp', '/kpackless/shell', '/kpackless/turn', '/turn'];
    expect(step(pod(), 'prepare')).toMatchObject({ lifecycle: { postStart: { exec: { command } } } });
    expect(pod().spec?.containers.filter(({ lifecycle }) => lifecycle !== undefined)).toHaveLength(1);
  });

  it('03#75 03#76 runs every step behind the one before, the first once all containers run', () => {
    const steps = pod().spec?.containers ?? [];
    expect(steps.map(({ name }) => name)).toEqual([
      'prepare',
      'analyze',
      'detect',
      'restore',
      'build',
      'export',
      'completion',
    ]);
    expect(steps[2]?.args?.slice(0, 3)).toEqual(['-after=analyze', '--', '/cnb/lifecycle/detector']);
    expect(steps[0]?.args?.[0]).toBe('-ready=/downward/sidecars-ready');
    expect(mountsOf(pod(), 'prepare').slice(-4)).toEqual([
      'downward-api-dir',
      'build-wait-dir',
      'build-wait-dir',
      'turn-dir',
    ]);
    expect(step(pod(), 'analyze').volumeMounts?.slice(-2)).toEqual([
      { name: 'build-wait-dir', mountPath: '/buildWait', readOnly: true },
      { name: 'build-wait-dir', mountPath: '/buildSignal', subPath: 'analyze' },
    ]);
  });

  it('starts steps of our own image with the program in it, and others with the copy', () => {
    const commands = Object.fromEntries((pod().spec?.containers ?? []).map(({ name, command }) => [name, command]));
    const own = ['/kpackless/shell', 'sh', '/kpackless/turn'];
    const copy = ['/turn/busybox', 'sh', '/turn/turn'];
    expect(commands).toEqual({
      prepare: own,
      ...Object.fromEntries(['analyze', 'detect', 'restore', 'build', 'export'].map((name) => [name, copy])),
      completion: own,
    });
  });

  it('hands over arguments with spaces in one piece', () => {
    expect(step(pod(), 'completion').args).toContain('-cosign-annotations=note=two words');
  });

  it('03#77 adds its volumes and lets sidecars in', () => {
    expect(pod().spec?.volumes?.slice(-3)).toEqual([
      { name: 'turn-dir', emptyDir: {} },
      { name: 'build-wait-dir', emptyDir: {} },
      {
        name: 'downward-api-dir',
        downwardAPI: {
          items: [{ path: 'sidecars-ready', fieldRef: { fieldPath: "metadata.annotations['build.kpack.io/ready']" } }],
        },
      },
    ]);
    expect(pod().metadata?.annotations).not.toHaveProperty('sidecar.istio.io/inject');
  });

  it('applies to rebase pods as well, which copy nothing', () => {
    const made = pod(rebaseB());
    expect(made.spec?.containers.map(({ name }) => name)).toEqual(['rebase', 'completion']);
    expect(variableOf(made, 'rebase', 'BUILD_CHANGES')).toBe('changes');
    expect(JSON.stringify(made)).not.toMatch(/postStart|turn-dir|-hold/);
  });
});

describe('the form in which all steps start at once', () => {
  const asks = (value: string) => ({ annotations: { 'image.kpack.io/buildSteps': value } });
  const parallel = (spec: Partial<BuildSpec> = {}) =>
    buildPod(buildB(spec), contextB({ settings: { buildSteps: 'parallel' } }));
  const sequential = buildPod(buildB(), contextB());
  const nothing = { cpu: '0', memory: '0', 'ephemeral-storage': '0' };
  const resourcesOf = ({ spec }: Pod) =>
    Object.fromEntries((spec?.containers ?? []).map(({ name, resources }) => [name, resources]));

  it('is had by installation or by Image, and each can have the other', () => {
    const made = buildPod(buildB({}, asks('parallel')), contextB());
    expect(made.spec).toEqual(parallel().spec);
    expect(buildPod(buildB({}, asks('sequential')), contextB({ settings: { buildSteps: 'parallel' } })).spec).toEqual(
      sequential.spec,
    );
    expect(() => buildPod(buildB({}, asks('both')), contextB())).toThrow(
      'annotation image.kpack.io/buildSteps is "both": use sequential or parallel',
    );
  });

  it('is not for rebases, nor where the namespace refuses it', () => {
    const settings = { buildSteps: 'parallel' as const };
    expect(buildPod(rebaseB(), contextB({ settings }))).toEqual(buildPod(rebaseB(), contextB()));
    expect(buildPod(buildB(), contextB({ settings, isSequential: true }))).toEqual(sequential);
  });

  it('is the one for sidecars without waiting for any, and keeps them out', () => {
    const beside = buildPod(buildB(), contextB({ settings: { injectedSidecars: true } }));
    const { volumes = [], containers = [] } = parallel().spec ?? {};
    expect(volumes).toEqual(beside.spec?.volumes?.filter(({ name }) => name !== 'downward-api-dir'));
    const bare = (step: Container) => ({ ...step, resources: {} });
    expect(containers.slice(1).map(bare)).toEqual(beside.spec?.containers.slice(1).map(bare));
    expect(parallel().metadata?.annotations).toHaveProperty(['sidecar.istio.io/inject'], 'false');
    expect(JSON.stringify(parallel())).not.toMatch(/downward/);
  });

  it('asks for what one of its steps asks for in sequence: as a pod, by its build, and by no other step', () => {
    const resources = {
      requests: { cpu: '1', memory: '1Gi', 'example.com/gpu': '1' },
      limits: { memory: '2Gi', 'ephemeral-storage': '5Gi', 'hugepages-2Mi': '4Mi', 'example.com/gpu': '1' },
    };
    const pod = parallel({ resources });
    expect(pod.spec).toMatchObject({
      resources: { requests: { cpu: '1', memory: '1Gi' }, limits: { memory: '2Gi', 'hugepages-2Mi': '4Mi' } },
    });
    const { build, ...others } = resourcesOf(pod);
    expect(build).toEqual(resources);
    for (const other of Object.values(others))
      expect(other).toEqual({ requests: nothing, limits: { memory: '2Gi', 'ephemeral-storage': '5Gi' } });
  });

  it('asks for nothing when the Build does, and says so, as a LimitRange would fill it in for each step', () => {
    expect(parallel().spec).not.toHaveProperty('resources');
    const { build, ...others } = resourcesOf(parallel());
    expect(build).toEqual({});
    for (const other of Object.values(others)) expect(other).toEqual({ requests: nothing });
  });
});
