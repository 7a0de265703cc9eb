/** A source as it may leave the cluster: its URLs without logins and signed queries. */
import { shownUrl } from '../text/shown-url.ts';
import type { SourceConfig } from './source-config.ts';

/** The source with URLs as `shownUrl` shows them. */
export const shownSource = <T extends SourceConfig>(source: T): T => ({
  ...source,
  ...(source.git === undefined ? {} : { git: { ...source.git, url: shownUrl(source.git.url) } }),
  ...(source.blob === undefined ? {} : { blob: { ...source.blob, url: shownUrl(source.blob.url) } }),
});
