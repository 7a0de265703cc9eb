/** Which version of a blob is behind a URL: the headers of one answer, never its content. */
import { createHash } from 'node:crypto';
import { lookup } from 'node:dns';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { networkCause } from '../oci/network-cause.ts';
import { retryAfterSeconds } from '../oci/retry-after.ts';
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

/** Addresses of the machine itself and of cloud metadata: a URL in a tenant's Image must not reach them from here. */
const blockedAddresses = (allowLoopback: boolean): BlockList => {
  const list = new BlockList();
  list.addSubnet('169.254.0.0', 16);
  list.addSubnet('fe80::', 10, 'ipv6');
  list.addAddress('fd00:ec2::254', 'ipv6');
  if (allowLoopback) return list;
  list.addSubnet('127.0.0.0', 8);
  list.addSubnet('0.0.0.0', 8);
  list.addAddress('::1', 'ipv6');
  list.addAddress('::', 'ipv6');
  return list;
};

const isBlocked = (list: BlockList, address: string): boolean =>
  list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');

/** Resolves like the platform, and refuses a name that leads to a blocked address. */
const guardedLookup =
  (list: BlockList): LookupFunction =>
  (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, []);
      const bad = addresses.find(({ address }) => isBlocked(list, address));
      if (bad !== undefined) return callback(new Error(`${hostname} is ${bad.address}, which is not asked`), []);
      const [first] = addresses;
      return options.all === true || first === undefined
        ? callback(null, addresses)
        : callback(null, first.address, first.family);
    });
  };

const shown = (url: URL): string => `${url.protocol}//${url.host}${url.pathname}`;

const failure = (url: URL, why: string, pace: 'slow' | 'soon', cause?: unknown, wait?: number): SourceProbeError =>
  new SourceProbeError(`${shown(url)} could not be looked at: ${why}`, { pace, cause, retryAfterSeconds: wait });

/** What a header may carry (RFC 9110 §5.5). */
const isHeaderValue = /^[\t\x20-\x7e\x80-\xff]*$/;

/** One byte is asked for, and nothing is read: HEAD is refused by presigned URLs, and some hosts ignore ranges. */
const headersOf = (url: URL, authorization: string | undefined, list: BlockList, signal: AbortSignal) =>
  new Promise<IncomingMessage>((resolve, reject) => {
    const host = url.hostname.replace(/^\[|\]$/gu, '');
    if (isIP(host) !== 0 && isBlocked(list, host)) {
      reject(failure(url, `${host} is not asked`, 'slow'));
      return;
    }
    if (authorization !== undefined && !isHeaderValue.test(authorization)) {
      const why = 'its Secret holds characters that a header cannot carry, such as a line break; put them right';
      reject(failure(url, why, 'slow'));
      return;
    }
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const headers = {
      range: 'bytes=0-0',
      'accept-encoding': 'identity',
      'user-agent': 'kpackless',
      ...(authorization === undefined ? {} : { authorization }),
    };
    const asked = send(url, { agent: false, headers, lookup: guardedLookup(list), signal }, (response) => {
      response.destroy();
      resolve(response);
    });
    asked.on('error', (error) => reject(failure(url, networkCause(error), 'soon', error)));
    asked.end();
  });

const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);

/** The ETag, or when and how large; a hash, since either may be long or hold anything. */
const versionIn = ({ headers }: IncomingMessage): string | undefined => {
  const { etag, 'last-modified': modified } = headers;
  if (etag !== undefined && etag !== '') return digest(`etag ${etag}`);
  if (modified === undefined || modified === '') return undefined;
  const size = headers['content-range']?.split('/')[1] ?? headers['content-length'] ?? '';
  return digest(`modified ${modified} ${size}`);
};

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const FINE: ReadonlySet<number> = new Set([200, 206, 416]);

const follow = (from: URL, location: string | undefined): URL => {
  if (location === undefined || !URL.canParse(location, from.href))
    throw failure(from, 'it redirects without saying where', 'slow');
  const target = new URL(location, from.href);
  if (target.protocol !== 'https:' && target.protocol !== from.protocol)
    throw failure(from, `it redirects to ${target.protocol}//, which is not followed`, 'slow');
  target.username = '';
  target.password = '';
  return target;
};

/** Longest URL that is asked; signed ones have some 2,000 characters. */
const MAX_URL = 8192;

const unescaped = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new SourceProbeError('user or password in the URL of the blob has a broken percent escape', { pace: 'slow' });
  }
};

/** Credentials in the URL count where none are given. */
const startOf = ({
  url: text,
  authorization,
}: BlobProbe): { readonly url: URL; readonly login: string | undefined } => {
  const url = text.length <= MAX_URL && URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    throw new SourceProbeError('the URL of the blob is not http or https', { pace: 'slow' });
  const { username, password } = url;
  url.username = '';
  url.password = '';
  const written = `${unescaped(username)}:${unescaped(password)}`;
  const login = username === '' ? undefined : `Basic ${Buffer.from(written).toString('base64')}`;
  return { url, login: authorization ?? login };
};

/** Makes the probe. Loopback is for one machine, never for Lambda, whose own interface listens there. */
export const blobProber =
  ({ allowLoopback }: { readonly allowLoopback: boolean }): ProbeBlob =>
  async (probe, signal) => {
    const list = blockedAddresses(allowLoopback);
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MILLISECONDS)]);
    const { url: start, login } = startOf(probe);
    let url = start;
    for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
      const response = await headersOf(url, url.origin === start.origin ? login : undefined, list, deadline);
      const status = response.statusCode ?? 0;
      if (FINE.has(status)) return versionIn(response);
      if (!REDIRECTS.has(status)) {
        const isIll = status >= 500 || status === 429 || status === 408;
        const wait = retryAfterSeconds(response.headers['retry-after'] ?? null, Date.now());
        throw failure(url, `the host answered ${status}`, isIll ? 'soon' : 'slow', undefined, wait);
      }
      url = follow(url, response.headers.location);
    }
    throw failure(start, `it redirects more than ${MAX_REDIRECTS} times`, 'slow');
  };
