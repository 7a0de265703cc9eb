/** Whether image extensions run with this lifecycle. */
import type { ExtensionStatus } from '../api/buildpacks.ts';
import type { ResolvedLifecycle } from '../api/lifecycle.ts';
import { PermanentError } from '../errors/expected.ts';
import { nameOf } from './store-reader.ts';
import { parseVersion } from './versions.ts';

/** Platform APIs that builds with extensions speak, the best first: from 0.13 on they are no experiment, before 0.12 run images are not extended. */
export const extensionPlatformApis = ['0.13', '0.12'] as const;

const allOf = (
  set:
    | {
        readonly deprecated?: readonly string[] | null | undefined;
        readonly supported?: readonly string[] | null | undefined;
      }
    | undefined,
): readonly string[] => [...(set?.deprecated ?? []), ...(set?.supported ?? [])];

const refuse = (message: string): never => {
  throw new PermanentError('ReconcileFailed', message);
};

/** Throws PermanentError when there are extensions and the lifecycle cannot run them. */
export const assertExtensionsFit = (extensions: readonly ExtensionStatus[], { apis }: ResolvedLifecycle): void => {
  if (extensions.length === 0) return;
  const platform = allOf(apis?.platform).map((api) => parseVersion(api)?.version);
  const isSpoken = extensionPlatformApis.some((api) => platform.includes(parseVersion(api)?.version));
  if (!isSpoken) {
    refuse(
      `spec.orderExtensions: the lifecycle speaks platform APIs ${allOf(apis?.platform).join(', ')}; extensions need one of ${extensionPlatformApis.join(', ')}`,
    );
  }
  const spoken = allOf(apis?.buildpack);
  for (const extension of extensions) {
    const { api = '' } = extension;
    if (spoken.includes(api)) continue;
    refuse(
      `validating extension ${nameOf(extension)}: unsupported buildpack api: ${api}, expecting: ${spoken.join(', ')}`,
    );
  }
};
