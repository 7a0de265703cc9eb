/** A registry source as its status says it: copied, tags and all (spec 02 §8.7). */
import type { RegistrySource, ResolvedSourceConfig } from '../api/source-config.ts';

/** The spec, empty members left out. */
export const resolvedRegistry = (
  { image, imagePullSecrets }: RegistrySource,
  subPath: string | undefined,
): NonNullable<ResolvedSourceConfig['registry']> => ({
  image,
  ...(imagePullSecrets === undefined || imagePullSecrets.length === 0 ? {} : { imagePullSecrets }),
  ...(subPath === undefined || subPath === '' ? {} : { subPath }),
});
