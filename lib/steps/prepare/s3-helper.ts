/** Opens blobs in S3 with the AWS identity of the pod: a signed request instead of a stored secret (spec 03 §16.6). */
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import type { BlobHelper } from './blob-source.ts';

const hosts = [
  // Virtual-hosted and path style, dual stack too; bucket names may hold dots.
  /^(?:.+\.)?s3[.-](?:dualstack\.)?([a-z]{2}(?:-[a-z]+)+-\d)\.amazonaws\.com(?:\.cn)?$/,
  /^(?:.+\.)?s3\.amazonaws\.com$/,
];

/** Region of an S3 host; undefined for every other host, which never gets to see a signature. */
export function s3RegionOf(host: string): string | undefined {
  const match = hosts.map((pattern) => pattern.exec(host)).find((found) => found !== null);
  return match === undefined ? undefined : (match?.[1] ?? 'us-east-1');
}

/** What the AWS SDK calls credentials. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** Headers for one GET of this URL, good for 15 minutes. */
export async function s3Headers(
  url: URL,
  region: string,
  credentials: AwsCredentials,
  now: Date,
): Promise<Readonly<Record<string, string>>> {
  const signer = new SignatureV4({ service: 's3', region, sha256: Sha256, credentials, uriEscapePath: false });
  const request = {
    method: 'GET',
    protocol: url.protocol,
    hostname: url.hostname,
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers: { host: url.host, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' },
  };
  const { headers } = await signer.sign(request, { signingDate: now });
  const { host: _, ...sent } = headers;
  return sent;
}

/** The default chain of the SDK (environment, web identity, pod identity, instance), loaded only when an S3 host is met. */
async function podCredentials(region: string): Promise<AwsCredentials> {
  const { ECRClient } = await import('@aws-sdk/client-ecr');
  const client = new ECRClient({ region });
  try {
    return await client.config.credentials();
  } finally {
    client.destroy();
  }
}

/** Knows S3 hosts over https and nobody else. */
export const s3Helper: BlobHelper = async (url) => {
  const region = url.protocol === 'https:' ? s3RegionOf(url.hostname) : undefined;
  return region === undefined ? undefined : await s3Headers(url, region, await podCredentials(region), new Date());
};
