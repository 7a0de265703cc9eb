/**
 * A text that AWS keeps for us: in Secrets Manager or as a SecureString in Parameter Store. One signed request, by hand as in `hooks`: a client of the
 * SDK would be a third of every function's bundle.
 */
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import * as v from 'valibot';
import { ExpectedError } from '../errors/expected.ts';
import type { AwsCredentials } from '../kube/eks-token.ts';
import { readUpTo } from '../oci/http.ts';

/** Where it lies: `secretsmanager:NAME` or `ssm:NAME`, in a region. */
export interface StoredSecret {
  readonly store: 'secretsmanager' | 'ssm';
  readonly name: string;
  readonly region: string;
}

/** As whom it is read. */
export interface StoredSecretPorts {
  readonly credentials: () => Promise<AwsCredentials>;
  readonly clock: () => Date;
  /** The platform's own unless a test gives another. */
  readonly fetch?: typeof globalThis.fetch;
}

const deadlineMilliseconds = 5000;
/** Secrets Manager keeps 64 KB, Parameter Store 8. */
const maxBytes = 256 * 1024;

const asked = {
  secretsmanager: {
    target: 'secretsmanager.GetSecretValue',
    input: (name: string) => ({ SecretId: name }),
    answer: v.pipe(
      v.object({ SecretString: v.string() }),
      v.transform(({ SecretString }) => SecretString),
    ),
  },
  ssm: {
    target: 'AmazonSSM.GetParameter',
    input: (name: string) => ({ Name: name, WithDecryption: true }),
    answer: v.pipe(
      v.object({ Parameter: v.object({ Value: v.string() }) }),
      v.transform(({ Parameter }) => Parameter.Value),
    ),
  },
} as const;

/** The text. What an answer holds is shown to nobody. @throws ExpectedError */
export const readStoredSecret = async (
  { store, name, region }: StoredSecret,
  { credentials, clock, fetch: send = globalThis.fetch }: StoredSecretPorts,
): Promise<string> => {
  const failed = (why: string, cause?: unknown): ExpectedError =>
    new ExpectedError(`reading ${store}:${name} in ${region}: ${why}`, { pace: 'slow', cause });
  const { target, input, answer } = asked[store];
  const hostname = `${store}.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
  const body = JSON.stringify(input(name));
  const signer = new SignatureV4({ service: store, region, credentials: await credentials(), sha256: Sha256 });
  const { headers } = await signer.sign(
    {
      method: 'POST',
      protocol: 'https:',
      hostname,
      path: '/',
      headers: { host: hostname, 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target },
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
    const bytes = response.body === null ? undefined : await readUpTo(response.body, maxBytes);
    text = Buffer.from(bytes ?? []).toString('utf8');
  } catch (error) {
    throw failed('no answer', error);
  }
  if (status !== 200) throw failed(`HTTP ${status}; is it there, and may it be read? (infra/roles.yml)`);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw failed('the answer is not JSON');
  }
  const parsed = v.safeParse(answer, json);
  if (!parsed.success) throw failed('it holds no text');
  return parsed.output;
};
