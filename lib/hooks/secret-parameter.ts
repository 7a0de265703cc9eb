/** The secrets of push hooks in AWS' Parameter Store: one signed request, remembered for minutes, so that changing it needs no deployment. */
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import * as v from 'valibot';
import { ExpectedError } from '../errors/expected.ts';
import { readUpTo } from '../oci/http.ts';
import { type HookSecret, secretsIn } from './secrets.ts';

/** Credentials of the process, as the SDK's clients have them. */
interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

/** Where the parameter is and as whom it is read. */
export interface ParameterOptions {
  readonly name: string;
  readonly region: () => Promise<string>;
  readonly credentials: () => Promise<AwsCredentials>;
  readonly clock: () => Date;
  /** The platform's own unless a test gives another. */
  readonly fetch?: typeof globalThis.fetch;
}

const deadlineMilliseconds = 5000;
/** A new secret is known everywhere after this time; a missing one is looked for again after it too. */
const rememberedMilliseconds = 5 * 60 * 1000;
const failedMilliseconds = 10_000;
const maxBytes = 64 * 1024;

const answerSchema = v.object({ Parameter: v.object({ Value: v.string() }) });

const failed = (why: string, cause?: unknown): ExpectedError =>
  new ExpectedError(`reading the secret of push hooks from Parameter Store: ${why}`, { cause });

const ask = async ({ name, region, credentials, clock, fetch = globalThis.fetch }: ParameterOptions) => {
  const place = await region();
  const hostname = `ssm.${place}.amazonaws.com${place.startsWith('cn-') ? '.cn' : ''}`;
  const body = JSON.stringify({ Name: name, WithDecryption: true });
  const { accessKeyId, secretAccessKey, sessionToken } = await credentials();
  const identity = { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
  const signer = new SignatureV4({ service: 'ssm', region: place, credentials: identity, sha256: Sha256 });
  const { headers } = await signer.sign(
    {
      method: 'POST',
      protocol: 'https:',
      hostname,
      path: '/',
      headers: {
        host: hostname,
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': 'AmazonSSM.GetParameter',
      },
      body,
    },
    { signingDate: clock() },
  );
  const signal = AbortSignal.timeout(deadlineMilliseconds);
  try {
    const response = await fetch(`https://${hostname}/`, { method: 'POST', headers, body, signal, redirect: 'error' });
    const bytes = response.body === null ? undefined : await readUpTo(response.body, maxBytes);
    return { status: response.status, text: Buffer.from(bytes ?? []).toString('utf8') };
  } catch (error) {
    throw failed('no answer', error);
  }
};

/** Secrets that a parameter holds; none when there is no such parameter. The text of an answer is shown to nobody: it is the secret. */
const readParameter = async (options: ParameterOptions): Promise<readonly HookSecret[]> => {
  const { status, text } = await ask(options);
  if (status === 400 && text.includes('ParameterNotFound')) return [];
  if (status !== 200) throw failed(`HTTP ${status}; may the function read parameter ${options.name}?`);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw failed('the answer is not JSON');
  }
  const parsed = v.safeParse(answerSchema, json);
  if (!parsed.success) throw failed('the answer has no value');
  return secretsIn(parsed.output.Parameter.Value);
};

/**
 * Gives the secrets in a parameter, read at most once in five minutes, and a failure to read them once in ten seconds: strangers who send
 * hooks make us ask nobody more often. @throws ExpectedError
 */
export const parameterSecrets = (options: ParameterOptions): (() => Promise<readonly HookSecret[]>) => {
  let known: { readonly secrets: Promise<readonly HookSecret[]>; until: number } | undefined;
  return () => {
    const now = options.clock().getTime();
    if (known !== undefined && now < known.until) return known.secrets;
    const reading = { secrets: readParameter(options), until: now + rememberedMilliseconds };
    known = reading;
    reading.secrets.catch(() => {
      reading.until = now + failedMilliseconds;
    });
    return reading.secrets;
  };
};
