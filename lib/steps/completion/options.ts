/** What the build pod tells `completion` (spec 03 §14). */
import { PermanentError } from '../../errors/expected.ts';
import type { DockerSecretFlags } from '../docker-credentials.ts';
import { pairIn, parseFlags } from '../flags.ts';
import type { StepProcess } from '../step.ts';

export interface CompletionOptions {
  /** First tag of the Build: what was built lies in its repository, whatever the report says. Empty where a pod does not say it. */
  readonly imageTag: string;
  /** Empty without a registry cache. */
  readonly cacheTag: string;
  readonly terminationMessagePath: string;
  readonly notaryUrl: string;
  readonly dockerSecrets: DockerSecretFlags;
  /** Annotations of signatures, in order. */
  readonly cosignAnnotations: ReadonlyMap<string, string>;
  /** Secret → repository for its signatures. */
  readonly cosignRepositories: ReadonlyMap<string, string>;
  /** Secret → a Go boolean. */
  readonly cosignDockerMediaTypes: ReadonlyMap<string, string>;
}

const accepted = [
  'basic-docker',
  'dockercfg',
  'dockerconfig',
  'cosign-annotations',
  'cosign-repositories',
  'cosign-docker-media-types',
  // kpack's pod hands every step the same credentials; these say nothing here.
  'basic-git',
  'ssh-git',
  'blob',
  'imagepull',
];

/** Values may contain `=`, unlike kpack's (DESIGN §4). @throws UsageError, PermanentError */
export function completionOptions({ args, env }: Pick<StepProcess, 'args' | 'env'>): CompletionOptions {
  const flags = parseFlags(args, {
    values: ['cache-tag', 'termination-message-path', 'notary-v1-url'],
    lists: accepted,
  });
  return {
    imageTag: env['IMAGE_TAG'] ?? '',
    cacheTag: flags.values.get('cache-tag') ?? env['CACHE_TAG'] ?? '',
    terminationMessagePath: flags.values.get('termination-message-path') ?? env['TERMINATION_MESSAGE_PATH'] ?? '',
    notaryUrl: flags.values.get('notary-v1-url') ?? '',
    dockerSecrets: {
      basicDocker: flags.list('basic-docker'),
      dockercfg: flags.list('dockercfg'),
      dockerconfig: flags.list('dockerconfig'),
    },
    cosignAnnotations: pairsIn(flags.list('cosign-annotations')),
    cosignRepositories: pairsIn(flags.list('cosign-repositories')),
    cosignDockerMediaTypes: pairsIn(flags.list('cosign-docker-media-types')),
  };
}

function pairsIn(texts: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    texts.map((text) => {
      const pair = pairIn(text);
      if (pair === undefined) throw new PermanentError('', `argument not formatted as -arg=key=value: ${text}`);
      return pair;
    }),
  );
}
