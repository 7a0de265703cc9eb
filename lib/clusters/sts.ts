/** One call of AWS STS, and what comes back: credentials of a role for an hour, or the code of a refusal. */
import { ExpectedError } from '../errors/expected.ts';
import type { AwsCredentials } from '../kube/eks-token.ts';
import { readUpTo } from '../oci/http.ts';

/** The version of the API that every call names. */
export const stsVersion = '2011-06-15';
/** The longest that one role may become another, and what every role allows. */
export const lifetimeSeconds = 3600;
/** How the sessions are called in CloudTrail. */
export const sessionName = 'kpackless';

const deadlineMilliseconds = 5000;
const maxBytes = 64 * 1024;

/** STS of the region. */
export const stsHost = (region: string): string =>
  `sts.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;

/** STS said no; `code` is its own word for why, such as `AccessDenied`. */
export class StsRefusal extends ExpectedError {
  override readonly name = 'StsRefusal';
  readonly code: string;
  readonly status: number;

  constructor(status: number, code: string) {
    super(`HTTP ${status} ${code}`, { pace: status >= 500 || status === 429 ? 'soon' : 'slow' });
    this.code = code;
    this.status = status;
  }
}

/** One call, signed or not. */
export interface StsCall {
  readonly host: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly fetch: typeof globalThis.fetch;
}

const textIn = (xml: string, name: string): string | undefined => {
  const [open, close] = [`<${name}>`, `</${name}>`];
  const start = xml.indexOf(open);
  const end = start < 0 ? -1 : xml.indexOf(close, start);
  return end < 0 ? undefined : xml.slice(start + open.length, end);
};

/** Sends it within five seconds. @throws StsRefusal; ExpectedError when there is no answer or one without credentials */
export const callSts = async ({ host, headers, body, fetch: send }: StsCall): Promise<AwsCredentials> => {
  let status: number;
  let xml: string;
  try {
    const signal = AbortSignal.timeout(deadlineMilliseconds);
    const response = await send(`https://${host}/`, { method: 'POST', headers, body, signal, redirect: 'error' });
    status = response.status;
    const bytes = response.body === null ? undefined : await readUpTo(response.body, maxBytes);
    xml = new TextDecoder().decode(bytes ?? new Uint8Array());
  } catch (cause) {
    throw new ExpectedError(`no answer from ${host}`, { pace: 'slow', cause });
  }
  // An error answer holds no secret; its code is what a person needs.
  if (status !== 200)
    throw new StsRefusal(status, /^[A-Za-z.]{1,64}$/.exec(textIn(xml, 'Code') ?? '')?.[0] ?? 'without a code');
  const [accessKeyId, secretAccessKey, sessionToken] = ['AccessKeyId', 'SecretAccessKey', 'SessionToken'].map((name) =>
    textIn(xml, name),
  );
  if (!accessKeyId || !secretAccessKey || !sessionToken)
    throw new ExpectedError(`${host} answered without credentials`, { pace: 'slow' });
  return { accessKeyId, secretAccessKey, sessionToken };
};
