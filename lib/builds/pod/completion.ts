/** The last step: sign, and say in the termination message what was built (spec 03 §7, §14). */
import type { Container, EnvVar, VolumeMount } from 'kubernetes-types/core/v1.d.ts';
import type { Build } from '../../api/build.ts';
import { buildNumberLabel } from '../../api/labels.ts';
import { buildTimestamp, firstTag } from './build-facts.ts';
import { cacheTag } from './cache.ts';
import { stepContainer, variable } from './container.ts';
import type { PodContext } from './context.ts';
import type { MountedSecrets } from './secrets.ts';

/** Where the step leaves its message: a path it can write whoever it runs as. */
const terminationMessagePath = '/tmp/termination-log';

/** What differs between the build pod's and the rebase pod's completion. */
export interface CompletionInputs {
  readonly credentials: MountedSecrets;
  readonly cosign: MountedSecrets;
  readonly mounts: readonly VolumeMount[];
  /** Variables before the step's own. */
  readonly env: readonly EnvVar[];
}

const cosignAnnotation = (name: string, value: string): string => `-cosign-annotations=${name}=${value}`;

const args = (build: Build, { now }: PodContext, { credentials, cosign }: CompletionInputs): readonly string[] => {
  const notaryUrl = build.spec.notary?.v1?.url;
  return [
    ...(notaryUrl === undefined ? [] : [`-notary-v1-url=${notaryUrl}`]),
    ...credentials.args,
    cosignAnnotation('buildTimestamp', buildTimestamp(build, now)),
    cosignAnnotation('buildNumber', build.metadata.labels?.[buildNumberLabel] ?? ''),
    // An entry without a name would fail the step after the image was pushed.
    ...(build.spec.cosign?.annotations ?? []).flatMap(({ name, value = '' }) =>
      name === undefined || name === '' ? [] : cosignAnnotation(name, value),
    ),
    ...cosign.args,
  ];
};

/** The container `completion`. */
export const completion = (build: Build, context: PodContext, inputs: CompletionInputs): Container =>
  stepContainer(build, {
    name: 'completion',
    ...context.programs.completion,
    args: args(build, context, inputs),
    env: [
      ...inputs.env,
      variable('IMAGE_TAG', firstTag(build)),
      variable('CACHE_TAG', cacheTag(build)),
      variable('TERMINATION_MESSAGE_PATH', terminationMessagePath),
    ],
    mounts: inputs.mounts,
    extra: { terminationMessagePath, terminationMessagePolicy: 'FallbackToLogsOnError' },
  });
