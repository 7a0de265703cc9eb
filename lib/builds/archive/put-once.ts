/** One signed PUT to S3 that never replaces anything: the second of two passes finds the work done. */
import { createHash } from 'node:crypto';
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import { ExpectedError, type ExpectedErrorOptions } from '../../errors/expected.ts';
import { networkCause } from '../../errors/network-cause.ts';
import type { AwsCredentials } from '../../kube/eks-token.ts';
import { readUpTo } from '../../oci/http.ts';
import { type ArchivePlace, addressOf, nameOf } from './place.ts';

/** As whom and where from. */
export interface StoreIdentity {
  readonly region: () => Promise<string>;
  readonly credentials: () => Promise<AwsCredentials>;
  readonly clock: () => Date;
}

/** What is put where; packed with gzip. */
export interface StoredText {
  readonly place: ArchivePlace;
  readonly key: string;
  readonly body: Uint8Array<ArrayBuffer>;
}

const maxAnswerBytes = 16 * 1024;

/** The word for what went wrong. The rest of an answer may name roles and keys, which the readers of a Build need not see. */
const codeIn = (xml: string): string => /<Code>([A-Za-z0-9.]{1,60})<\/Code>/u.exec(xml)?.[1] ?? '';

const hintFor = (code: string): string => {
  if (code === 'AccessDenied') return '; may the function put objects there, and use the key of the bucket?';
  if (code === 'NoSuchBucket') return '; the bucket does not exist';
  if (code === 'PermanentRedirect' || code === 'AuthorizationHeaderMalformed')
    return '; the bucket must be in the region of the functions';
  return '';
};

/**
 * Puts a text. An object that is there already stays, and that is a success.
 * @throws ExpectedError; `slow` when somebody has to act
 */
export const putOnce = async (
  { place, key, body }: StoredText,
  { region, credentials, clock }: StoreIdentity,
  signal: AbortSignal,
): Promise<void> => {
  const failed = (why: string, options: ExpectedErrorOptions): ExpectedError =>
    new ExpectedError(`putting ${nameOf(place, key)}: ${why}`, options);
  let status: number;
  let text: string;
  try {
    const identity = { region: await region(), credentials: await credentials() };
    const url = addressOf(place, key, identity.region);
    const headers = {
      host: url.host,
      'content-type': 'text/plain; charset=utf-8',
      'content-encoding': 'gzip',
      'if-none-match': '*',
      'x-amz-content-sha256': createHash('sha256').update(body).digest('hex'),
    };
    const signer = new SignatureV4({ service: 's3', ...identity, sha256: Sha256, uriEscapePath: false });
    const request = { method: 'PUT', protocol: url.protocol, hostname: url.hostname, path: url.pathname, headers };
    const signed = await signer.sign(request, { signingDate: clock() });
    const { host: _, ...sent } = signed.headers;
    const response = await fetch(url, { method: 'PUT', headers: sent, body, signal, redirect: 'manual' });
    status = response.status;
    const said = response.body === null ? undefined : await readUpTo(response.body, maxAnswerBytes);
    text = Buffer.from(said ?? []).toString('utf8');
  } catch (cause) {
    // A missing region or identity ends here too.
    throw failed(networkCause(cause), { cause });
  }
  if (status === 200 || status === 412) return;
  const code = codeIn(text);
  const isTheirs = status >= 500 || status === 409 || status === 429;
  throw failed(`HTTP ${status} ${code}${hintFor(code)}`, { pace: isTheirs ? 'soon' : 'slow' });
};
