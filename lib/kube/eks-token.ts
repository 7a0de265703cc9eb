/** Bearer token of an EKS cluster: a presigned STS GetCallerIdentity URL, signed locally (spec 06 §4). No request is made. */
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';

/** AWS credentials as the SDK's providers give them. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** The authenticator takes a token for 15 minutes from its date, whatever Expires says; ours are used for ten. */
const usableMilliseconds = 10 * 60 * 1000;

/** A function that gives a valid token, signed anew every ten minutes. */
export const eksToken = (
  clusterName: string,
  region: string,
  credentials: () => Promise<AwsCredentials>,
  clock: () => Date = () => new Date(),
): (() => Promise<string>) => {
  let cached: { readonly token: string; readonly until: number } | undefined;
  return async () => {
    const now = clock();
    if (cached !== undefined && now.getTime() < cached.until) return cached.token;
    const signer = new SignatureV4({ service: 'sts', region, credentials: await credentials(), sha256: Sha256 });
    const host = `sts.${region}.amazonaws.com`;
    const signed = await signer.presign(
      {
        method: 'GET',
        protocol: 'https:',
        hostname: host,
        path: '/',
        query: { Action: 'GetCallerIdentity', Version: '2011-06-15' },
        headers: { host, 'x-k8s-aws-id': clusterName },
      },
      { expiresIn: 60, signingDate: now, unhoistableHeaders: new Set(['x-k8s-aws-id']) },
    );
    const query = Object.entries(signed.query ?? {})
      .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`)
      .join('&');
    const token = `k8s-aws-v1.${Buffer.from(`https://${host}/?${query}`).toString('base64url')}`;
    cached = { token, until: now.getTime() + usableMilliseconds };
    return token;
  };
};
