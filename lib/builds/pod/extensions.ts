/**
 * The steps of a build with image extensions (platform API 0.12 and 0.13; beyond kpack). Which Dockerfiles there are is known only after
 * detect, when the pod is long made: hence every step is always there, and finds out for itself whether it has anything to do.
 *
 *     extend-start   copies our program for the next ones: their images are anybody's
 *     restore        also fetches what the extender needs of the build image and the run image, keeps the lifecycle, says the run image
 *     extend-gate    waits until `extend-run` has the run image that an extension chose and extends
 *     extend-run     applies run.Dockerfiles, in the run image, as root
 *     extend-build   applies build.Dockerfiles, in the builder image, as root, then builds as the builder's user
 *
 * `extend-run` goes before the build, so that no code of the application has touched what runs there as root. What it runs, it cannot write,
 * nor can any step but the one that put it there; what restore fetched is read-only for both that extend, each of which has a scratch
 * directory of its own.
 */
import type { Container, EnvVar, SecurityContext, Volume, VolumeMount } from 'kubernetes-types/core/v1.d.ts';
import type { Build } from '../../api/build.ts';
import { PermanentError } from '../../errors/expected.ts';
import { parseReference, printReference } from '../../oci/reference.ts';
import { runImage } from './build-facts.ts';
import { stepContainer, variable } from './container.ts';
import type { PodContext } from './context.ts';
import {
  analyzedArg,
  appArg,
  bindingRoot,
  groupArg,
  type LifecycleInputs,
  layersArg,
  lifecyclePath,
  planArg,
} from './phase.ts';
import { copyWaiter, programs, programsVolume, waiterPath } from './programs.ts';
import {
  analyzed,
  application,
  emptyDir,
  layers,
  platformEnvironment,
  podInfo,
  podInfoVolume,
  readOnly,
} from './volumes.ts';

/** The builder's extender, which restore keeps for the step that runs in the run image. */
const kept: VolumeMount = { name: 'extender-dir', mountPath: '/extender' };
const extender = `${kept.mountPath}/extender`;

/** Where the lifecycle wants what extending needs, and where in it restore leaves the images to extend. */
const kaniko = '/kaniko';
const restoredImages: VolumeMount = { name: 'kaniko-dir', mountPath: kaniko };
const imagesPath = 'cache/base';
const scratchOf = { run: 'kaniko-run-dir', build: 'kaniko-build-dir' } as const;

/** What a step that extends sees of it: a scratch directory of its own, and in it the images, read-only. */
const extending = (kind: keyof typeof scratchOf): readonly VolumeMount[] => [
  { name: scratchOf[kind], mountPath: kaniko },
  readOnly({ name: restoredImages.name, mountPath: `${kaniko}/${imagesPath}`, subPath: imagesPath }),
];

/** What image extensions need beside the volumes of every build. */
export const extensionVolumes: readonly Volume[] = [
  programsVolume,
  ...[kept.name, restoredImages.name, ...Object.values(scratchOf)].map(emptyDir),
  podInfoVolume,
];

const extendedArg = `-extended=${layers.mountPath}/extended`;
const generatedArg = `-generated=${layers.mountPath}/generated`;

/** Name of the step that runs in the run image. */
export const extendRunStep = 'extend-run';

/**
 * Root, as package managers need it, with no more than the Pod Security Standard `baseline` allows and the Dockerfiles of extensions use.
 * `restricted` has no room for it.
 */
const root: SecurityContext = {
  runAsUser: 0,
  runAsGroup: 0,
  runAsNonRoot: false,
  allowPrivilegeEscalation: false,
  privileged: false,
  seccompProfile: { type: 'RuntimeDefault' },
  capabilities: {
    drop: ['ALL'],
    add: [
      'AUDIT_WRITE',
      'CHOWN',
      'DAC_OVERRIDE',
      'FOWNER',
      'FSETID',
      'KILL',
      'SETFCAP',
      'SETGID',
      'SETPCAP',
      'SETUID',
      'SYS_CHROOT',
    ],
  },
};

/** What makes a lifecycle before 0.13 of the API take extensions for granted. */
const experimental = (platformApi: string): readonly EnvVar[] =>
  /^v?0\.12(\.0)?$/.test(platformApi) ? [variable('CNB_EXPERIMENTAL_MODE', 'warn')] : [];

/** As the node pulls it: a digest says it all, and not every runtime takes a tag beside it. */
const pullable = (reference: string): string => {
  const parsed = parseReference(reference);
  return parsed.digest === undefined ? reference : printReference(parsed);
};

const more = (container: Container, env: readonly EnvVar[]): Container =>
  env.length === 0 ? container : { ...container, env: [...(container.env ?? []), ...env] };

/** What the pod was made for: an extension may choose another. */
const runImageArg = (build: Build, context: PodContext): string => `-run-image=${runImage(build, context)}`;

/** The same command, run by our program, which then keeps the lifecycle and says in the termination message what run image it is. */
const restoring = (step: Container, { build, context }: LifecycleInputs): Container => ({
  ...step,
  command: [waiterPath],
  args: [
    '-mode=restored',
    analyzedArg,
    runImageArg(build, context),
    `-extender=${lifecyclePath}/extender`,
    `-to=${extender}`,
    '--',
    ...(step.command ?? []),
    `-build-image=${context.builder.image}`,
    ...(step.args ?? []),
  ],
  volumeMounts: [...(step.volumeMounts ?? []), restoredImages, kept, programs],
});

const gate = ({ build, context }: LifecycleInputs): Container =>
  stepContainer(build, {
    name: 'extend-gate',
    ...context.programs.waiter,
    args: [
      '-mode=gate',
      analyzedArg,
      runImageArg(build, context),
      // Where all steps start at once, `extend-run` is there already when its image is known.
      ...(context.settings.injectedSidecars ? [] : [`-given=${podInfo.mountPath}/run-image`]),
    ],
    workingDir: '/workspace',
    mounts: [readOnly(analyzed), podInfo],
  });

const extendRun = ({ build, context, platformApi }: LifecycleInputs): Container => {
  const image = runImage(build, context);
  if (image === '')
    throw new PermanentError(
      'ExtensionsUnsupported',
      'the builder orders image extensions but names no run image that they could extend: name one in spec.runImage.image',
    );
  return stepContainer(build, {
    name: extendRunStep,
    image: pullable(image),
    command: [waiterPath],
    args: [
      '-mode=extend-run',
      analyzedArg,
      '--',
      extender,
      '-kind=run',
      layersArg,
      appArg,
      groupArg,
      analyzedArg,
      generatedArg,
      extendedArg,
    ],
    env: [variable('CNB_PLATFORM_API', platformApi), ...experimental(platformApi)],
    mounts: [layers, readOnly(analyzed), readOnly(application(build)), ...extending('run'), readOnly(kept), programs],
    extra: { securityContext: root },
  });
};

const extendBuild = ({ build, context, platformApi, bindings }: LifecycleInputs): Container =>
  stepContainer(build, {
    name: 'extend-build',
    image: context.builder.image,
    command: [`${lifecyclePath}/extender`],
    args: [
      '-kind=build',
      layersArg,
      appArg,
      groupArg,
      planArg,
      analyzedArg,
      generatedArg,
      `-uid=${context.builder.uid}`,
      `-gid=${context.builder.gid}`,
    ],
    env: [variable('CNB_PLATFORM_API', platformApi), ...experimental(platformApi), bindingRoot],
    mounts: [layers, readOnly(analyzed), platformEnvironment, application(build), ...extending('build'), ...bindings],
    extra: { securityContext: root },
  });

/**
 * The phases of a build without extensions, turned into those of one with them: the extender builds in place of the builder. Throws
 * PermanentError when there is no run image.
 */
export const withExtensions = (inputs: LifecycleInputs, phases: readonly Container[]): readonly Container[] => {
  const env = experimental(inputs.platformApi);
  const steps = phases.flatMap((phase): readonly Container[] => {
    switch (phase.name) {
      case 'restore':
        return [restoring(phase, inputs), gate(inputs), extendRun(inputs)];
      case 'build':
        return [extendBuild(inputs)];
      default:
        return [more(phase, env)];
    }
  });
  return [copyWaiter(inputs.build, 'extend-start', inputs.context.programs.waiter), ...steps];
};
