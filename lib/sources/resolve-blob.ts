/** A blob source as its status says it: copied, without looking at the network (spec 02 §8.7). */
import type { BlobSource, ResolvedSourceConfig } from '../api/source-config.ts';

/** The spec, empty members left out. `stripComponents` is kept, which kpack loses (DESIGN §4). */
export const resolvedBlob = (
  { url, auth, stripComponents }: BlobSource,
  subPath: string | undefined,
): NonNullable<ResolvedSourceConfig['blob']> => ({
  url,
  ...(auth === undefined || auth === '' ? {} : { auth }),
  ...(subPath === undefined || subPath === '' ? {} : { subPath }),
  ...(stripComponents === undefined || stripComponents === 0 ? {} : { stripComponents }),
});
