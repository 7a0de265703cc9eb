/** How logs of builds get out of the cluster: with the function's own AWS identity, in standalone mode with that of its environment. */
import { SQSClient } from '@aws-sdk/client-sqs';
import type { ArchivePorts } from '../lib/builds/archive/archive.ts';
import type { Settings } from './settings.ts';

/** The ports; undefined when logs are not archived. A missing region or identity shows at the first log. */
export const archivePorts = ({
  KPACKLESS_BUILD_LOG_ARCHIVE: place,
}: Pick<Settings, 'KPACKLESS_BUILD_LOG_ARCHIVE'>): ArchivePorts | undefined => {
  if (place === undefined) return undefined;
  // Only for its chain of credentials, which is bundled anyway; that of the queue may be made for an embedded one.
  const { config } = new SQSClient({});
  return {
    place,
    region: () => config.region(),
    credentials: async () => {
      const { accessKeyId, secretAccessKey, sessionToken } = await config.credentials();
      return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
    },
    clock: () => new Date(),
  };
};
