import type { Container, Pod } from 'kubernetes-types/core/v1.d.ts';
import { describe, expect, it } from 'vitest';
import { buildPod } from '../../../../lib/builds/pod/build-pod.ts';
import type { PodContext, PodSettings } from '../../../../lib/builds/pod/context.ts';
import { waiterOptions } from '../../../../lib/steps/waiter/options.ts';
import { buildB, contextB, mountsOf, step, stepsOf, variableOf } from '../base-build.ts';

const digest = `sha256:${'d'.repeat(64)}`;
const platformApis = ['0.7', '0.8', '0.9', '0.10', '0.11', '0.12', '0.13', '0.14'];

interface Given {
  readonly spec?: Parameters<typeof buildB>[0];
  readonly builder?: Partial<PodContext['builder']>;
  readonly settings?: Partial<PodSettings>;
  readonly context?: Partial<PodContext>;
}
const pod = ({ spec = {}, builder = {}, settings = {}, context = {} }: Given = {}): Pod => {
  const withExtensions = { platformApis, hasExtensions: true, runImage: `reg.io/run:tag@${digest}`, ...builder };
  return buildPod(buildB({ runImage: { image: `reg.io/run:tag@${digest}` }, ...spec }), {
    ...contextB({ builder: withExtensions, settings }),
    ...context,
  });
};
const names = (made: Pod): readonly string[] => stepsOf(made).map(({ name }) => name);
const runsAsRoot = ({ securityContext }: Container): boolean => securityContext?.runAsUser === 0;

describe('a pod whose builder orders image extensions', () => {
  it('extends the run image before any code of the app ran, and lets the extender build', () => {
    expect(names(pod())).toEqual(
      'prepare extend-start analyze detect restore extend-gate extend-run extend-build export completion'.split(' '),
    );
  });

  it('runs as root what extends, with what the Pod Security Standard baseline allows, and nothing else', () => {
    const made = pod();
    expect(
      stepsOf(made)
        .filter(runsAsRoot)
        .map(({ name }) => name),
    ).toEqual(['extend-run', 'extend-build']);
    const baseline =
      'AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT';
    for (const name of ['extend-run', 'extend-build']) {
      const { securityContext } = step(made, name);
      expect(securityContext).toMatchObject({
        runAsNonRoot: false,
        allowPrivilegeEscalation: false,
        privileged: false,
      });
      expect(securityContext?.capabilities?.drop).toEqual(['ALL']);
      expect(baseline.split(' ')).toEqual(expect.arrayContaining(securityContext?.capabilities?.add ?? []));
    }
    expect(made.spec?.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 2000 });
  });

  it('gives no credentials to what runs as root', () => {
    for (const name of ['extend-run', 'extend-build']) {
      expect(mountsOf(pod(), name).filter((mount) => mount.includes('secret') || mount === 'home-dir')).toEqual([]);
      expect(variableOf(pod(), name, 'HOME')).toBeUndefined();
    }
  });

  it('lets restore fetch the images to extend, and shows them to what extends beside a scratch directory of its own', () => {
    const below = (name: string) =>
      step(pod(), name).volumeMounts?.filter(({ mountPath }) => mountPath.startsWith('/kaniko'));
    const images = { name: 'kaniko-dir', mountPath: '/kaniko/cache/base', subPath: 'cache/base', readOnly: true };
    expect(below('restore')).toEqual([{ name: 'kaniko-dir', mountPath: '/kaniko' }]);
    expect(below('extend-run')).toEqual([{ name: 'kaniko-run-dir', mountPath: '/kaniko' }, images]);
    expect(below('extend-build')).toEqual([{ name: 'kaniko-build-dir', mountPath: '/kaniko' }, images]);
    const others = names(pod()).filter((name) => !['restore', 'extend-run', 'extend-build'].includes(name));
    expect(others.flatMap(below)).toEqual([]);
  });

  it('runs the extender of the run image in the run image, by digest alone', () => {
    expect(step(pod(), 'extend-run').image).toBe(`reg.io/run@${digest}`);
    expect(step(pod({ spec: { runImage: { image: 'reg.io/run:tag' } } }), 'extend-run').image).toBe('reg.io/run:tag');
    expect(step(pod(), 'extend-build').image).toBe('BI');
  });

  it('restores with the build image, and starts the rest as the program understands it', () => {
    const options = (name: string) => waiterOptions(step(pod(), name).args ?? []);
    expect(options('restore')).toMatchObject({
      mode: 'restored',
      analyzed: '/analyzed/analyzed.toml',
      runImage: `reg.io/run:tag@${digest}`,
      extender: '/cnb/lifecycle/extender',
      to: '/extender/extender',
      command: [
        '/cnb/lifecycle/restorer',
        '-build-image=BI',
        '-group=/layers/group.toml',
        '-layers=/layers',
        '-cache-dir=/cache',
        '-analyzed=/analyzed/analyzed.toml',
      ],
    });
    expect(options('extend-start')).toEqual({ mode: 'copy', to: '/programs/waiter' });
    expect(options('extend-gate')).toMatchObject({ mode: 'gate', given: '/podInfo/run-image' });
    expect(options('extend-run')).toMatchObject({
      mode: 'extend-run',
      command: [
        '/extender/extender',
        '-kind=run',
        '-layers=/layers',
        '-app=/workspace',
        '-group=/layers/group.toml',
        '-analyzed=/analyzed/analyzed.toml',
        '-generated=/layers/generated',
        '-extended=/layers/extended',
      ],
    });
    expect(step(pod(), 'extend-build').args).toEqual([
      '-kind=build',
      '-layers=/layers',
      '-app=/workspace',
      '-group=/layers/group.toml',
      '-plan=/layers/plan.toml',
      '-analyzed=/analyzed/analyzed.toml',
      '-generated=/layers/generated',
      '-uid=2000',
      '-gid=3000',
    ]);
  });

  it('mounts bindings where buildpacks run', () => {
    const bindings = [{ kind: 'service', name: 'db', secret: 'db-secret' }] as const;
    const made = pod({ context: { bindings } });
    expect(mountsOf(made, 'extend-build')).toContain('binding-db');
    expect(mountsOf(made, 'extend-run')).not.toContain('binding-db');
  });

  it('speaks 0.13, else 0.12 where extensions are an experiment', () => {
    const apis = (made: Pod) =>
      new Set(
        ['analyze', 'detect', 'restore', 'extend-run', 'extend-build', 'export'].map((name) =>
          variableOf(made, name, 'CNB_PLATFORM_API'),
        ),
      );
    expect(apis(pod())).toEqual(new Set(['0.13']));
    expect(variableOf(pod(), 'detect', 'CNB_EXPERIMENTAL_MODE')).toBeUndefined();
    const older = pod({ settings: { maximumPlatformApi: '0.12' } });
    expect(apis(older)).toEqual(new Set(['0.12']));
    for (const name of ['detect', 'extend-run', 'extend-build', 'export'])
      expect(variableOf(older, name, 'CNB_EXPERIMENTAL_MODE')).toBe('warn');
  });

  it.each([
    [
      'the lifecycle is too old',
      { builder: { platformApis: ['0.7', '0.10'] } },
      'the builder orders image extensions, which need platform API 0.13 or 0.12; its lifecycle speaks 0.7, 0.10',
    ],
    [
      'the installation allows too little',
      { settings: { maximumPlatformApi: '0.9' } },
      'and this installation allows 0.9 at most (KPACKLESS_MAXIMUM_PLATFORM_API)',
    ],
    ['the installation refuses them', { settings: { refuseExtensions: true } }, 'KPACKLESS_EXTENSIONS=refuse'],
    [
      'there is no run image',
      { spec: { runImage: { image: '' } }, builder: { runImage: '' } },
      'names no run image that they could extend',
    ],
  ])('is not made when %s', (_when, given, message) => {
    expect(() => pod(given)).toThrow(message);
  });

  it('waits in the sidecar variant as any other, but is given no other run image there', () => {
    const made = pod({ settings: { injectedSidecars: true } });
    expect((made.spec?.containers ?? []).map(({ name }) => name)).toEqual(names(pod()));
    const { args = [] } = step(made, 'extend-gate');
    expect(args.slice(0, 2)).toEqual(['-after=restore', '--']);
    expect(waiterOptions(args.slice(3))).toMatchObject({ mode: 'gate', given: '' });
    expect(runsAsRoot(step(made, 'extend-run'))).toBe(true);
  });

  it('has its steps in sequence, whatever is wanted', () => {
    expect(pod({ settings: { buildSteps: 'parallel' } })).toEqual(pod());
  });

  it('of a builder without extensions is what it was', () => {
    const made = buildPod(buildB(), contextB());
    expect(names(made)).toEqual('prepare analyze detect restore build export completion'.split(' '));
    expect(JSON.stringify(made)).not.toMatch(/kaniko|podInfo|"runAsUser":0/);
  });
});
