/** What the build pod tells `prepare`: flags first, then the environment (spec 03 §10). */
import { PermanentError } from '../../errors/expected.ts';
import type { DockerSecretFlags } from '../docker-credentials.ts';
import { parseFlags } from '../flags.ts';
import type { StepProcess } from '../step.ts';
import type { BlobSource } from './blob-source.ts';
import type { GitSource } from './git-source.ts';

/** One source; git wins over blob over registry when a pod names several. */
type SourceOptions =
  | ({ readonly kind: 'git' } & GitSource)
  | ({ readonly kind: 'blob' } & BlobSource)
  | { readonly kind: 'registry'; readonly image: string };

export interface PrepareOptions {
  readonly imageTag: string;
  readonly runImage: string;
  readonly source: SourceOptions | undefined;
  readonly sourceSubPath: string;
  readonly projectDescriptorPath: string;
  readonly buildChanges: string;
  /** Folder that the source is moved to when it is whole; empty where no other step runs meanwhile. */
  readonly handOverTo: string;
  readonly builder: { readonly image: string; readonly name: string; readonly kind: string };
  readonly dockerSecrets: DockerSecretFlags;
  /** Names of image pull Secrets. */
  readonly imagePull: readonly string[];
}

/** Flag → the variable that holds its default. */
const variables = {
  imageTag: 'IMAGE_TAG',
  runImage: 'RUN_IMAGE',
  'git-url': 'GIT_URL',
  'git-revision': 'GIT_REVISION',
  'git-initialize-submodules': 'GIT_INITIALIZE_SUBMODULES',
  'blob-url': 'BLOB_URL',
  'blob-auth': 'BLOB_AUTH',
  'strip-components': 'BLOB_STRIP_COMPONENTS',
  'registry-image': 'REGISTRY_IMAGE',
  'source-sub-path': 'SOURCE_SUB_PATH',
  'project-descriptor-path': 'PROJECT_DESCRIPTOR_PATH',
  'build-changes': 'BUILD_CHANGES',
  'builder-image': 'BUILDER_IMAGE',
  'builder-name': 'BUILDER_NAME',
  'builder-kind': 'BUILDER_KIND',
  'insecure-ssh-trust-unknown-hosts': 'INSECURE_SSH_TRUST_UNKNOWN_HOSTS',
} as const;

type FlagName = keyof typeof variables;

const booleans: readonly FlagName[] = ['git-initialize-submodules', 'blob-auth', 'insecure-ssh-trust-unknown-hosts'];
const lists = ['basic-git', 'ssh-git', 'blob', 'basic-docker', 'dockercfg', 'dockerconfig', 'imagepull'];

/** @throws UsageError */
export function prepareOptions({ args, env }: Pick<StepProcess, 'args' | 'env'>): PrepareOptions {
  const flags = parseFlags(args, {
    values: Object.keys(variables).filter((name) => !booleans.some((boolean) => boolean === name)),
    lists,
    booleans,
  });
  const text = (name: FlagName): string => flags.values.get(name) ?? env[variables[name]] ?? '';
  return {
    imageTag: text('imageTag'),
    runImage: text('runImage'),
    source: sourceFrom(text, flags.list),
    sourceSubPath: text('source-sub-path'),
    projectDescriptorPath: text('project-descriptor-path'),
    buildChanges: text('build-changes'),
    handOverTo: env['HAND_OVER_TO'] ?? '',
    builder: { image: text('builder-image'), name: text('builder-name'), kind: text('builder-kind') },
    dockerSecrets: {
      basicDocker: flags.list('basic-docker'),
      dockercfg: flags.list('dockercfg'),
      dockerconfig: flags.list('dockerconfig'),
    },
    imagePull: flags.list('imagepull'),
  };
}

function sourceFrom(
  text: (name: FlagName) => string,
  list: (name: string) => readonly string[],
): SourceOptions | undefined {
  if (text('git-url') !== '') {
    return {
      kind: 'git',
      url: text('git-url'),
      revision: text('git-revision'),
      submodules: isTrue(text('git-initialize-submodules')) ?? false,
      secrets: { basic: list('basic-git'), ssh: list('ssh-git') },
      trustUnknownHosts: isTrue(text('insecure-ssh-trust-unknown-hosts')) ?? true,
    };
  }
  if (text('blob-url') !== '') {
    return {
      kind: 'blob',
      url: text('blob-url'),
      auth: isTrue(text('blob-auth')) ?? false,
      stripComponents: wholeNumber(text('strip-components')),
      secrets: list('blob'),
    };
  }
  return text('registry-image') === '' ? undefined : { kind: 'registry', image: text('registry-image') };
}

/** Go's `ParseBool`; undefined when it is neither. */
function isTrue(text: string): boolean | undefined {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) return true;
  return ['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text) ? false : undefined;
}

function wholeNumber(text: string): number {
  if (text === '') return 0;
  if (!/^\d{1,4}$/.test(text)) {
    throw new PermanentError(
      '',
      `stripComponents must be a whole number from 0, not ${JSON.stringify(text.slice(0, 40))}`,
    );
  }
  return Number(text);
}
