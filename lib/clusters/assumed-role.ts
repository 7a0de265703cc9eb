/** Becoming the role that a cluster knows, `kpackless-<cluster>`, in this account or another (DESIGN §3.15). */
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import { ExpectedError } from '../errors/expected.ts';
import type { AwsCredentials } from '../kube/eks-token.ts';
import { callSts, lifetimeSeconds, StsRefusal, sessionName, stsHost, stsVersion } from './sts.ts';

/** Which role, asked for by whom. */
export interface AssumedRoleOptions {
  readonly roleArn: string;
  readonly region: string;
  /** Those of the function's own role. */
  readonly credentials: () => Promise<AwsCredentials>;
  readonly clock?: () => Date;
  /** The platform's own unless a test gives another. */
  readonly fetch?: typeof globalThis.fetch;
}

/** Well before they end: a token made of them is used for ten minutes more. */
const usableMilliseconds = 45 * 60 * 1000;

const ask = async ({
  roleArn,
  region,
  credentials,
  clock = () => new Date(),
  fetch = globalThis.fetch,
}: AssumedRoleOptions): Promise<AwsCredentials> => {
  const hostname = stsHost(region);
  const body = new URLSearchParams({
    Action: 'AssumeRole',
    Version: stsVersion,
    RoleArn: roleArn,
    RoleSessionName: sessionName,
    DurationSeconds: String(lifetimeSeconds),
  }).toString();
  const signer = new SignatureV4({ service: 'sts', region, credentials: await credentials(), sha256: Sha256 });
  const { headers } = await signer.sign(
    {
      method: 'POST',
      protocol: 'https:',
      hostname,
      path: '/',
      headers: { host: hostname, 'content-type': 'application/x-www-form-urlencoded' },
      body,
    },
    { signingDate: clock() },
  );
  try {
    return await callSts({ host: hostname, headers, body, fetch });
  } catch (cause) {
    if (!(cause instanceof ExpectedError)) throw cause;
    const hint = cause instanceof StsRefusal ? '; does the role exist and trust this function’s role?' : '';
    throw new ExpectedError(`becoming ${roleArn}: ${cause.message}${hint}`, { pace: 'slow', cause });
  }
};

/** Credentials of the role, asked for at first use and then every 45 minutes. The function throws ExpectedError, and asks anew next time. */
export const assumedRole = (options: AssumedRoleOptions): (() => Promise<AwsCredentials>) => {
  const clock = options.clock ?? (() => new Date());
  let kept: { readonly answer: Promise<AwsCredentials>; readonly until: number } | undefined;
  return () => {
    const now = clock().getTime();
    if (kept === undefined || now >= kept.until) {
      const answer = ask(options);
      const fresh = { answer, until: now + usableMilliseconds };
      kept = fresh;
      answer.catch(() => {
        if (kept === fresh) kept = undefined;
      });
    }
    return kept.answer;
  };
};
