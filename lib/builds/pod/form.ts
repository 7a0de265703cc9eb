/** In which form the steps of a Build's pod follow each other (DESIGN §3.31). */
import type { Build } from '../../api/build.ts';
import { buildStepsAnnotation } from '../../api/labels.ts';
import { PermanentError } from '../../errors/expected.ts';
import { annotation } from './build-facts.ts';
import type { BuildSteps, PodContext } from './context.ts';

export type PodForm = BuildSteps | 'beside sidecars';

const asked = (build: Build): BuildSteps | undefined => {
  const value = annotation(build, buildStepsAnnotation);
  if (value === '') return undefined;
  if (value === 'sequential' || value === 'parallel') return value;
  throw new PermanentError(
    '',
    `annotation ${buildStepsAnnotation} is ${JSON.stringify(value.slice(0, 100))}: use sequential or parallel`,
  );
};

/**
 * The form of the pod. A rebase has two steps, one of them an init container, and image extensions are given images while they run: both are
 * sequential. Throws PermanentError for an annotation that names none.
 */
export const formOf = (build: Build, context: PodContext, isToRebase: boolean): PodForm => {
  const { settings, builder, isSequential } = context;
  const wanted = asked(build) ?? settings.buildSteps ?? 'sequential';
  if (settings.injectedSidecars) return 'beside sidecars';
  return isToRebase || isSequential === true || builder.hasExtensions === true ? 'sequential' : wanted;
};
