/** How logs of builds get out of the cluster: with the function's own AWS identity, in standalone mode with that of its environment. */
import type { ArchivePorts } from '../lib/builds/archive/archive.ts';
import type { AwsIdentity } from './adapters.ts';
import type { Settings } from './settings.ts';

/** The ports; undefined when logs are not archived. A missing region or identity shows at the first log. */
export const archivePorts = (
  { KPACKLESS_BUILD_LOG_ARCHIVE: place }: Pick<Settings, 'KPACKLESS_BUILD_LOG_ARCHIVE'>,
  { region, credentials }: AwsIdentity,
): ArchivePorts | undefined =>
  place === undefined ? undefined : { place, region, credentials, clock: () => new Date() };
