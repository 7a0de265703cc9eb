/** What the rebase pod tells `rebase` (spec 03 §13). */
import type { DockerSecretFlags } from '../docker-credentials.ts';
import { parseFlags } from '../flags.ts';
import type { StepProcess } from '../step.ts';

export interface RebaseOptions {
  readonly runImage: string;
  readonly lastBuiltImage: string;
  readonly buildChanges: string;
  /** Where to leave report.toml; empty: nowhere. */
  readonly report: string;
  readonly dockerSecrets: DockerSecretFlags;
  /** Names of image pull Secrets. */
  readonly imagePull: readonly string[];
  readonly tags: readonly string[];
}

const variables = {
  'run-image': 'RUN_IMAGE',
  'last-built-image': 'LAST_BUILT_IMAGE',
  'build-changes': 'BUILD_CHANGES',
  report: 'REPORT_FILE_PATH',
} as const;

/** @throws UsageError */
export function rebaseOptions({ args, env }: Pick<StepProcess, 'args' | 'env'>): RebaseOptions {
  const flags = parseFlags(args, {
    values: Object.keys(variables),
    lists: ['basic-docker', 'dockercfg', 'dockerconfig', 'imagepull'],
  });
  const text = (name: keyof typeof variables): string => flags.values.get(name) ?? env[variables[name]] ?? '';
  return {
    runImage: text('run-image'),
    lastBuiltImage: text('last-built-image'),
    buildChanges: text('build-changes'),
    report: text('report'),
    dockerSecrets: {
      basicDocker: flags.list('basic-docker'),
      dockercfg: flags.list('dockercfg'),
      dockerconfig: flags.list('dockerconfig'),
    },
    imagePull: flags.list('imagepull'),
    tags: flags.rest,
  };
}
