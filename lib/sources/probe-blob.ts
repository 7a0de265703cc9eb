/** Which version of a blob is behind a URL: the headers of one answer, never its content. */

import { createHash } from 'node:crypto';
import type { FetchAnswer, NodeFetch } from '../egress/fetch.ts';
import { EgressRefused } from '../egress/guard.ts';
import { networkCause } from '../errors/network-cause.ts';
import { retryAfterSeconds } from '../oci/retry-after.ts';
import { basicAuthorization } from '../secrets/authorization.ts';
import { loginIn, withoutLogin } from '../secrets/url-login.ts';
import { shownUrl, ToldUrl } from '../text/shown-url.ts';
import { SourceProbeError } from './probe-error.ts';

/** What is asked. */
export interface BlobProbe {
  readonly url: string;
  /** Value of the Authorization header; stays with the host it is for. */
  readonly authorization: string | undefined;
}

/** Gives the version; undefined when the host tells none. @throws SourceProbeError */
export type ProbeBlob = (probe: BlobProbe, signal: AbortSignal) => Promise<string | undefined>;

const DEADLINE_MILLISECONDS = 10_000;
const MAX_REDIRECTS = 5;

const failure = (url: URL, why: string, pace: 'slow' | 'soon', cause?: unknown, wait?: number): SourceProbeError =>
  new SourceProbeError(`${shownUrl(url)} could not be looked at: ${why}`, { pace, cause, retryAfterSeconds: wait });

/** One byte is asked for, and nothing is read: HEAD is refused by presigned URLs, and some hosts ignore ranges. */
const answerOf = async (
  fetch: NodeFetch,
  url: URL,
  authorization: string | undefined,
  signal: AbortSignal,
): Promise<FetchAnswer> => {
  const headers = {
    range: 'bytes=0-0',
    'accept-encoding': 'identity',
    'user-agent': 'kpackless',
    ...(authorization === undefined ? {} : { authorization }),
  };
  try {
    const answer = await fetch(url, { headers, signal });
    answer.discard();
    return answer;
  } catch (error) {
    if (error instanceof EgressRefused) throw failure(url, error.message, 'slow', error);
    throw failure(url, networkCause(error), 'soon', error);
  }
};

const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);

/** The ETag, or when and how large; a hash, since either may be long or hold anything. */
const versionIn = ({ headers }: FetchAnswer): string | undefined => {
  const [etag, modified] = [headers.get('etag') ?? '', headers.get('last-modified') ?? ''];
  if (etag !== '') return digest(`etag ${etag}`);
  if (modified === '') return undefined;
  const size = headers.get('content-range')?.split('/')[1] ?? headers.get('content-length') ?? '';
  return digest(`modified ${modified} ${size}`);
};

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const FINE: ReadonlySet<number> = new Set([200, 206, 416]);

const follow = (from: URL, location: string | null): URL => {
  if (location === null || !URL.canParse(location, from.href))
    throw failure(from, 'it redirects without saying where', 'slow');
  const target = new ToldUrl(location, from.href);
  if (target.protocol !== 'https:' && target.protocol !== from.protocol)
    throw failure(from, 'it redirects to what is not https, which is not followed', 'slow');
  target.username = '';
  target.password = '';
  return target;
};

/** Longest URL that is asked; signed ones have some 2,000 characters. */
const MAX_URL = 8192;

/** Credentials in the URL count where none are given. */
const startOf = ({
  url: text,
  authorization,
}: BlobProbe): { readonly url: URL; readonly login: string | undefined } => {
  const url = text.length <= MAX_URL && URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    throw new SourceProbeError('the URL of the blob is not http or https', { pace: 'slow' });
  const written = loginIn(url);
  return { url: withoutLogin(url), login: authorization ?? (written && basicAuthorization(written)) };
};

/** Makes the probe, of what goes out to the network: guarded, since tenants write the URLs (lib/egress). */
export const blobProber =
  (fetch: NodeFetch): ProbeBlob =>
  async (probe, signal) => {
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MILLISECONDS)]);
    const { url: start, login } = startOf(probe);
    let url = start;
    for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
      const response = await answerOf(fetch, url, url.origin === start.origin ? login : undefined, deadline);
      const { status } = response;
      if (FINE.has(status)) return versionIn(response);
      if (!REDIRECTS.has(status)) {
        const isIll = status >= 500 || status === 429 || status === 408;
        const wait = retryAfterSeconds(response.headers.get('retry-after'), Date.now());
        throw failure(url, `the host answered ${status}`, isIll ? 'soon' : 'slow', undefined, wait);
      }
      url = follow(url, response.headers.get('location'));
    }
    throw failure(start, `it redirects more than ${MAX_REDIRECTS} times`, 'slow');
  };
