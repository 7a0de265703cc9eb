/**
 * The steps of a build with image extensions (platform API 0.12 and 0.13; beyond kpack). Which Dockerfiles there are is known only after
 * detect, when the pod is long made: hence every step is always there, and finds out for itself whether it has anything to do.
 *
 *     extend-start   lays a program of ours into the volume that the next ones share: their images are anybody's
 *     restore        also fetches what the extender needs of the build image and the run image, keeps the lifecycle, says the run image
 *     extend-gate    waits until `extend-run` has the run image that an extension chose and extends
 *     extend-run     applies run.Dockerfiles, in the run image, as root
 *     extend-build   applies build.Dockerfiles, in the builder image, as root, then builds as the builder's user
 *
 * `extend-run` goes before the build, so that no code of the application has touched what runs there as root.
 */
import type { Container, EnvVar, SecurityContext } from 'kubernetes-types/core/v1.d.ts';
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
import { application, kaniko, layers, platform, podInfo } from './volumes.ts';

/** Our program, and the lifecycle, in the shared volume. */
const program = `${kaniko.mountPath}/kpackless/step`;
const extender = `${kaniko.mountPath}/kpackless/extender`;
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

const start = ({ build, context }: LifecycleInputs): Container =>
  stepContainer(build, {
    name: 'extend-start',
    ...context.programs.waiter,
    args: ['-mode=copy', `-to=${program}`],
    workingDir: '/workspace',
    mounts: [kaniko],
  });

/** The same command, run by our program, which then keeps the lifecycle and says in the termination message what run image it is. */
const restoring = (step: Container, { build, context }: LifecycleInputs): Container => ({
  ...step,
  command: [program],
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
  volumeMounts: [...(step.volumeMounts ?? []), kaniko],
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
    mounts: [{ ...layers, readOnly: true }, podInfo],
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
    command: [program],
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
    mounts: [layers, application(build), kaniko],
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
    mounts: [layers, platform, application(build), kaniko, ...bindings],
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
  return [start(inputs), ...steps];
};
