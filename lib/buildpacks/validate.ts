/** Whether buildpacks run on this stack with this lifecycle (spec 04 §8.2). */
import type { BuildpackStatus } from '../api/buildpacks.ts';
import type { ResolvedLifecycle } from '../api/lifecycle.ts';
import { PermanentError } from '../errors/expected.ts';
import type { Platform } from '../oci/descriptor.ts';
import { nameOf } from './store-reader.ts';
import { isAtLeast, parseVersion } from './versions.ts';

/** What a stack offers to buildpacks. */
export interface StackOffer {
  readonly id: string;
  readonly mixins: ReadonlySet<string>;
}

const refuse = (message: string): never => {
  throw new PermanentError('ReconcileFailed', message);
};

/** One of these must be spoken by the lifecycle. */
const knownPlatformApis: readonly string[] = ['0.3', '0.4', '0.5', '0.6', '0.7', '0.8'];

type ApiSet = {
  readonly deprecated?: readonly string[] | null | undefined;
  readonly supported?: readonly string[] | null | undefined;
};

const allOf = (apis: ApiSet | undefined): readonly string[] => [
  ...(apis?.deprecated ?? []),
  ...(apis?.supported ?? []),
];

/** Throws PermanentError when the lifecycle speaks none of the platform APIs that are known. */
export const assertPlatformApis = ({ apis }: ResolvedLifecycle): void => {
  const spoken = allOf(apis?.platform);
  if (spoken.some((api) => knownPlatformApis.includes(api))) return;
  refuse(
    `unsupported platform apis in kpack lifecycle: ${spoken.join(', ')}, expecting one of: ${knownPlatformApis.join(', ')}`,
  );
};

/** From platform API 0.7 on, stage prefixes of mixins are matched by the plain mixin and the other way round. */
const provides = ({ mixins }: StackOffer, required: string, relaxed: boolean): boolean => {
  if (mixins.has(required)) return true;
  if (!relaxed) return false;
  const plain = required.replace(/^(?:build|run):/, '');
  if (plain !== required) return mixins.has(plain);
  return mixins.has(`build:${plain}`) && mixins.has(`run:${plain}`);
};

const assertStack = ({ api = '', stacks }: BuildpackStatus, stack: StackOffer, relaxed: boolean): void => {
  if (stacks === undefined || stacks.length === 0) return;
  const matches = (id: string): boolean => {
    if (id === stack.id) return true;
    if (id !== '*') return false;
    if (parseVersion(api) === undefined) refuse('invalid semantic version');
    return isAtLeast(api, '0.5');
  };
  const entry = stacks.find(({ id }) => matches(id)) ?? refuse(`stack ${stack.id} is not supported`);
  const missing = (entry.mixins ?? []).filter((mixin) => !provides(stack, mixin, relaxed));
  if (missing.length > 0) refuse(`stack missing mixin(s): ${missing.join(', ')}`);
};

/** Throws PermanentError when the buildpack's API, stack or mixins do not fit. Composite buildpacks are not checked themselves. */
export const assertBuildpackFits = (
  buildpack: BuildpackStatus,
  stack: StackOffer,
  { apis }: ResolvedLifecycle,
): void => {
  if (buildpack.order !== undefined && buildpack.order.length > 0) return;
  const spoken = allOf(apis?.buildpack);
  const relaxed = allOf(apis?.platform).some((api) => isAtLeast(api, '0.7'));
  const { api = '' } = buildpack;
  try {
    if (!spoken.includes(api)) refuse(`unsupported buildpack api: ${api}, expecting: ${spoken.join(', ')}`);
    assertStack(buildpack, stack, relaxed);
  } catch (cause) {
    if (!(cause instanceof PermanentError)) throw cause;
    throw new PermanentError(cause.reason, `validating buildpack ${nameOf(buildpack)}: ${cause.message}`, { cause });
  }
};

const print = ({ os, architecture, variant }: Platform): string => `${os}/${architecture}/${variant}`;
const differ = (a: string, b: string): boolean => a !== '' && b !== '' && a !== b;

/** Throws PermanentError when the lifecycle image is for another platform than the build image; unsaid architectures fit. */
export const assertSamePlatform = (build: Platform, lifecycle: Platform, lifecycleImage: string): void => {
  if (build.os === 'windows') refuse('windows base images are not supported');
  const fits =
    build.os === lifecycle.os &&
    !differ(build.architecture, lifecycle.architecture) &&
    !differ(build.variant, lifecycle.variant);
  if (fits) return;
  refuse(
    `validating lifecycle image ${lifecycleImage}: expected platform to be ${print(build)} but got ${print(lifecycle)}`,
  );
};
