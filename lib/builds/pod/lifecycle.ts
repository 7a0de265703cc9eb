/** The five steps that run the builder image's own lifecycle (spec 03 §7, §12). Which Platform API is spoken changes one variable only. */
import type { Container } from 'kubernetes-types/core/v1.d.ts';
import { firstTag, otherTags, runImage, sourceDateEpoch } from './build-facts.ts';
import { cacheUse } from './cache.ts';
import { stepContainer, variable } from './container.ts';
import { withExtensions } from './extensions.ts';
import {
  analyzedArg,
  analyzedVariable,
  appArg,
  bindingRoot,
  groupArg,
  homeVariable,
  type LifecycleInputs,
  layersArg,
  lifecyclePath,
  type Phase,
  planArg,
} from './phase.ts';
import {
  analyzed,
  application,
  home,
  layers,
  platformEnvironment,
  projectMetadata,
  readOnly,
  report,
} from './volumes.ts';

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
    mounts: [layers, analyzed, readOnly(home)],
  };
};

const detect = ({ build, context, platformApi, bindings }: LifecycleInputs): Phase => ({
  name: 'detect',
  program: 'detector',
  args: [appArg, groupArg, planArg],
  env: [variable('CNB_PLATFORM_API', platformApi), analyzedVariable],
  mounts: [
    layers,
    // Only image extensions may choose another run image.
    context.builder.hasExtensions === true ? analyzed : readOnly(analyzed),
    platformEnvironment,
    application(build),
    ...bindings,
  ],
});

const restore = ({ build, platformApi }: LifecycleInputs): Phase => {
  const cache = cacheUse(build);
  return {
    name: 'restore',
    program: 'restorer',
    args: [groupArg, layersArg, ...cache.restore, analyzedArg],
    env: [homeVariable, variable('CNB_PLATFORM_API', platformApi)],
    mounts: [layers, analyzed, readOnly(home), ...cache.mounts],
  };
};

const build = ({ build, platformApi, bindings }: LifecycleInputs): Phase => ({
  name: 'build',
  program: 'builder',
  args: [layersArg, appArg, groupArg, planArg],
  env: [variable('CNB_PLATFORM_API', platformApi), bindingRoot, analyzedVariable],
  mounts: [layers, readOnly(analyzed), platformEnvironment, application(build), ...bindings],
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
      `-project-metadata=${projectMetadata.mountPath}/project-metadata.toml`,
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
    mounts: [
      layers,
      readOnly(analyzed),
      readOnly(projectMetadata),
      readOnly(application(build)),
      readOnly(home),
      report,
      ...cache.mounts,
    ],
  };
};

/** Analyze, detect, restore, build, export, in the order they run, all in the builder image; with image extensions their steps in between. */
export const lifecyclePhases = (inputs: LifecycleInputs): readonly Container[] => {
  const container = ({ name, program, args, env, mounts }: Phase): Container =>
    stepContainer(inputs.build, {
      name,
      image: inputs.context.builder.image,
      command: [`${lifecyclePath}/${program}`],
      args,
      env,
      mounts,
    });
  const phases = [analyze, detect, restore, build, exportPhase].map((phase) => container(phase(inputs)));
  return inputs.context.builder.hasExtensions === true ? withExtensions(inputs, phases) : phases;
};
