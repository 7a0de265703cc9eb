/** The five steps that run the builder image's own lifecycle (spec 03 §7, §12). Which Platform API is spoken changes one variable only. */
import type { Container, EnvVar, VolumeMount } from 'kubernetes-types/core/v1.d.ts';
import type { Build } from '../../api/build.ts';
import { firstTag, otherTags, runImage, sourceDateEpoch } from './build-facts.ts';
import { cacheUse } from './cache.ts';
import { stepContainer, variable } from './container.ts';
import type { PodContext } from './context.ts';
import { application, home, layers, platform, report } from './volumes.ts';

/** What the phases share. */
export interface LifecycleInputs {
  readonly build: Build;
  readonly context: PodContext;
  readonly platformApi: string;
  /** Bindings, for the two phases in which buildpacks run. */
  readonly bindings: readonly VolumeMount[];
}

interface Phase {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly env: readonly EnvVar[];
  readonly mounts: readonly VolumeMount[];
}

const homeVariable = variable('HOME', home.mountPath);
const bindingRoot = variable('SERVICE_BINDING_ROOT', '/platform/bindings');
const layersArg = `-layers=${layers.mountPath}`;
const appArg = '-app=/workspace';
const groupArg = `-group=${layers.mountPath}/group.toml`;
const planArg = `-plan=${layers.mountPath}/plan.toml`;
const analyzedArg = `-analyzed=${layers.mountPath}/analyzed.toml`;

const analyze = ({ build, context, platformApi }: LifecycleInputs): Phase => {
  const previous = build.spec.lastBuild?.image ?? '';
  return {
    name: 'analyze',
    program: 'analyzer',
    args: [
      layersArg,
      analyzedArg,
      `-run-image=${runImage(build, context)}`,
      ...cacheUse(build).analyze,
      ...otherTags(build).map((tag) => `-tag=${tag}`),
      ...(previous === '' ? [] : [`-previous-image=${previous}`]),
      firstTag(build),
    ],
    env: [homeVariable, variable('CNB_PLATFORM_API', platformApi), bindingRoot],
    mounts: [layers, application(build), home],
  };
};

const detect = ({ build, platformApi, bindings }: LifecycleInputs): Phase => ({
  name: 'detect',
  program: 'detector',
  args: [appArg, groupArg, planArg],
  env: [variable('CNB_PLATFORM_API', platformApi)],
  mounts: [layers, platform, application(build), ...bindings],
});

const restore = ({ build, platformApi }: LifecycleInputs): Phase => {
  const cache = cacheUse(build);
  return {
    name: 'restore',
    program: 'restorer',
    args: [groupArg, layersArg, ...cache.restore, analyzedArg],
    env: [homeVariable, variable('CNB_PLATFORM_API', platformApi)],
    mounts: [layers, home, ...cache.mounts],
  };
};

const build = ({ build, platformApi, bindings }: LifecycleInputs): Phase => ({
  name: 'build',
  program: 'builder',
  args: [layersArg, appArg, groupArg, planArg],
  env: [variable('CNB_PLATFORM_API', platformApi), bindingRoot],
  mounts: [layers, platform, application(build), ...bindings],
});

const exportPhase = ({ build, context, platformApi }: LifecycleInputs): Phase => {
  const cache = cacheUse(build);
  const epoch = sourceDateEpoch(build, context.now);
  const run = runImage(build, context);
  const process = build.spec.defaultProcess ?? '';
  return {
    name: 'export',
    program: 'exporter',
    args: [
      layersArg,
      appArg,
      groupArg,
      analyzedArg,
      `-project-metadata=${layers.mountPath}/project-metadata.toml`,
      ...cache.export,
      ...(process === '' ? [] : [`-process-type=${process}`]),
      `-report=${report.mountPath}/report.toml`,
      firstTag(build),
      ...otherTags(build),
    ],
    env: [
      homeVariable,
      variable('CNB_PLATFORM_API', platformApi),
      ...(epoch === undefined ? [] : [variable('SOURCE_DATE_EPOCH', epoch)]),
      ...(run === '' ? [] : [variable('CNB_RUN_IMAGE', run)]),
    ],
    mounts: [layers, application(build), home, report, ...cache.mounts],
  };
};

/** Analyze, detect, restore, build, export: in the order they run, all in the builder image. */
export const lifecyclePhases = (inputs: LifecycleInputs): readonly Container[] =>
  [analyze, detect, restore, build, exportPhase].map((phase) => {
    const { name, program, args, env, mounts } = phase(inputs);
    return stepContainer(inputs.build, {
      name,
      image: inputs.context.builder.image,
      command: [`/cnb/lifecycle/${program}`],
      args,
      env,
      mounts,
    });
  });
