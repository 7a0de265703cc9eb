/** Becoming the role that a cluster knows, `kpackless-<cluster>`, in this account or another (DESIGN §3.15). */
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import { ExpectedError } from '../errors/expected.ts';
import type { AwsCredentials } from '../kube/eks-token.ts';
import { textOfElement } from '../text/xml-element.ts';

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

const deadlineMilliseconds = 5000;
/** The longest that one role may become another. */
const lifetimeSeconds = 3600;
/** Well before they end: a token made of them is used for ten minutes more. */
const usableMilliseconds = 45 * 60 * 1000;
const maxBytes = 64 * 1024;

const ask = async ({
  roleArn,
  region,
  credentials,
  clock = () => new Date(),
  fetch: send = globalThis.fetch,
}: AssumedRoleOptions): Promise<AwsCredentials> => {
  const failed = (why: string, cause?: unknown): ExpectedError =>
    new ExpectedError(`becoming ${roleArn}: ${why}`, { pace: 'slow', cause });
  const hostname = `sts.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
  const body = new URLSearchParams({
    Action: 'AssumeRole',
    Version: '2011-06-15',
    RoleArn: roleArn,
    RoleSessionName: 'kpackless',
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
  let status: number;
  let text: string;
  try {
    const signal = AbortSignal.timeout(deadlineMilliseconds);
    const response = await send(`https://${hostname}/`, { method: 'POST', headers, body, signal, redirect: 'error' });
    status = response.status;
    text = (await response.text()).slice(0, maxBytes);
  } catch (error) {
    throw failed(`no answer from ${hostname}`, error);
  }
  // An error answer holds no secret; its code is what a person needs.
  if (status !== 200)
    throw failed(
      `HTTP ${status} ${textOfElement(text, 'Code') ?? ''}; does the role exist and trust this function’s role?`,
    );
  const [accessKeyId, secretAccessKey, sessionToken] = ['AccessKeyId', 'SecretAccessKey', 'SessionToken'].map((name) =>
    textOfElement(text, name),
  );
  if (accessKeyId === undefined || secretAccessKey === undefined || sessionToken === undefined)
    throw failed(`${hostname} answered without credentials`);
  return { accessKeyId, secretAccessKey, sessionToken };
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
