/** A ServiceAccount's token for credentials of its role (AssumeRoleWithWebIdentity): what a pod of the account would do. Signed by nobody. */
import type { AwsCredentials } from '../kube/eks-token.ts';
import { callSts, lifetimeSeconds, sessionName, stsHost, stsVersion } from './sts.ts';

/** Which role, with whose token. */
export interface WebIdentity {
  readonly roleArn: string;
  readonly region: string;
  /** Issued by the cluster for audience `sts.amazonaws.com`. */
  readonly token: string;
  readonly fetch: typeof globalThis.fetch;
}

/** Credentials of the role for an hour. @throws StsRefusal, ExpectedError */
export const roleOfToken = ({ roleArn, region, token, fetch }: WebIdentity): Promise<AwsCredentials> =>
  callSts({
    host: stsHost(region),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      Action: 'AssumeRoleWithWebIdentity',
      Version: stsVersion,
      RoleArn: roleArn,
      RoleSessionName: sessionName,
      DurationSeconds: String(lifetimeSeconds),
      WebIdentityToken: token,
    }).toString(),
    fetch,
  });
