/** GetAuthorizationToken through the AWS SDK, which is loaded only when an ECR host is met. */
import type { EcrToken, GetEcrToken } from './ecr.ts';
import { invalidContent } from './errors.ts';

const deadlineMs = 10_000;

/** User and password in AWS's answer: base64 of `AWS:PASSWORD`. Throws OciError `invalid-content`. */
export const readEcrToken = (token: string | undefined, expiresAt: Date | undefined): EcrToken => {
  const decoded = Buffer.from(token ?? '', 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  if (colon <= 0 || expiresAt === undefined) throw invalidContent('AWS answered without a token');
  return { username: decoded.slice(0, colon), password: decoded.slice(colon + 1), expiresAtMs: expiresAt.getTime() };
};

/** Gives credentials of some AWS identity, when they are needed. */
export type AwsIdentity = () => Promise<{
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}>;

/** Asks ECR in the registry's region as that identity; the process's own unless given. Throws what the SDK and the identity throw. */
export const ecrTokenAs =
  (identity?: AwsIdentity): GetEcrToken =>
  async ({ region, fips }) => {
    const { ECRClient, GetAuthorizationTokenCommand } = await import('@aws-sdk/client-ecr');
    const client = new ECRClient({
      region,
      useFipsEndpoint: fips,
      ...(identity !== undefined && { credentials: await identity() }),
    });
    try {
      const abortSignal = AbortSignal.timeout(deadlineMs);
      const { authorizationData } = await client.send(new GetAuthorizationTokenCommand({}), { abortSignal });
      const [first] = authorizationData ?? [];
      return readEcrToken(first?.authorizationToken, first?.expiresAt);
    } finally {
      client.destroy();
    }
  };

/** With the process's own AWS identity. */
export const getEcrToken: GetEcrToken = ecrTokenAs();

/** The process's own AWS identity, as the SDK finds it. */
export const ownAwsIdentity: AwsIdentity = async () => {
  const { ECRClient } = await import('@aws-sdk/client-ecr');
  const client = new ECRClient({});
  try {
    const { accessKeyId, secretAccessKey, sessionToken } = await client.config.credentials();
    return { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
  } finally {
    client.destroy();
  }
};
