/** Listing refs over http(s): one request for the capabilities, one for the refs. */
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { hasHeard, type NodeFetch, type OpenAnswer } from '../egress/fetch.ts';
import { basicAuthorization } from '../secrets/authorization.ts';
import type { BasicCredential } from './credentials.ts';
import { GitError } from './errors.ts';
import { httpFailure, networkFailure } from './http-errors.ts';
import { readPackets } from './pkt-line.ts';
import { type GitRef, lsRefsRequest, readAdvertisement, readLsRefs, withPrefixes } from './refs.ts';
import type { GitUrl } from './url.ts';

/** What a transport is asked: which refs of which repository, as whom, for how long. */
export interface ListOverHttp {
  readonly url: GitUrl;
  readonly credential?: BasicCredential | undefined;
  /** Full ref names or beginnings of them; the host is asked for these alone. */
  readonly prefixes: readonly string[];
  /** Ends the whole conversation; its TimeoutError becomes the code `timeout`. */
  readonly signal: AbortSignal;
  /** What goes out to the network. */
  readonly fetch: NodeFetch;
}

/** Answers are read up to here: some 300,000 refs of an old host. Unpacked bytes are counted, so a compressed bomb ends here too. */
const MAX_BODY_BYTES = 32 * 1024 * 1024;
/** git itself follows few; a chain longer than this is a loop. */
const MAX_REDIRECTS = 5;
/** Some hosts answer only clients that call themselves git. */
const USER_AGENT = 'git/2.40 (kpackless)';

interface Place {
  /** The repository's URL without the service suffix. */
  readonly base: URL;
  readonly authorization: string | undefined;
}

const authorizationFor = ({ url, credential }: ListOverHttp): string | undefined => {
  const login = credential ?? url.embedded;
  if (login === undefined) return undefined;
  return basicAuthorization(login);
};

const serviceUrl = (base: URL, service: 'git-upload-pack' | 'info/refs'): URL => {
  const url = new URL(base);
  url.pathname = `${url.pathname.replace(/\/$/u, '')}/${service}`;
  if (service === 'info/refs') url.searchParams.set('service', 'git-upload-pack');
  return url;
};

const headersFor = ({ authorization }: Place): Record<string, string> => ({
  'git-protocol': 'version=2',
  'user-agent': USER_AGENT,
  'cache-control': 'no-cache',
  'accept-encoding': 'gzip',
  ...(authorization === undefined ? {} : { authorization }),
});

const isRedirect = (status: number): boolean => [301, 302, 303, 307, 308].includes(status);

/** Where a redirect of the first request leads. Credentials stay with the host they are for, and nothing falls back to plain http. */
const follow = (place: Place, response: OpenAnswer, ask: ListOverHttp): Place => {
  const protocolError = (why: string): GitError =>
    new GitError('protocol', `${ask.url.display} ${why}; set the URL the host redirects to`, {
      host: ask.url.authority,
    });
  const location = response.headers.get('location');
  const from = serviceUrl(place.base, 'info/refs');
  if (location === null || !URL.canParse(location, from.href)) throw protocolError('redirects without saying where');
  const target = new URL(location, from.href);
  if (target.protocol !== 'https:' && target.protocol !== place.base.protocol) {
    throw protocolError('redirects to what is not https, which is not followed');
  }
  if (!target.pathname.endsWith('/info/refs')) throw protocolError('redirects to something that is not a repository');
  target.pathname = target.pathname.slice(0, -'/info/refs'.length);
  target.searchParams.delete('service');
  target.username = '';
  target.password = '';
  return { base: target, authorization: target.origin === place.base.origin ? place.authorization : undefined };
};

const isFine = ({ status }: OpenAnswer): boolean => status >= 200 && status < 300;

/** `isAlive`: has the host that was named answered before, perhaps by a redirect to another one? */
const send = async (
  ask: ListOverHttp,
  url: URL,
  init: Parameters<NodeFetch>[1],
  isAlive: boolean,
): Promise<OpenAnswer> => {
  try {
    return await ask.fetch(url, { ...init, signal: ask.signal });
  } catch (error) {
    throw networkFailure(ask, error, isAlive || hasHeard(error));
  }
};

async function* bodyOf(ask: ListOverHttp, response: OpenAnswer): AsyncGenerator<Uint8Array, void, undefined> {
  const isPacked = /^(?:x-)?gzip$/iu.test(response.headers.get('content-encoding') ?? '');
  try {
    if (isPacked) yield* Readable.from(response.body ?? []).compose(createGunzip());
    else yield* response.body ?? [];
  } catch (error) {
    throw networkFailure(ask, ask.signal.aborted ? ask.signal.reason : error, true);
  } finally {
    response.discard();
  }
}

const expectType = (ask: ListOverHttp, response: OpenAnswer, type: string): void => {
  const actual = response.headers.get('content-type')?.split(';')[0]?.trim() ?? '';
  if (actual === type) return;
  response.discard();
  // What it answers instead is not shown: the host may be none that the tenant can read.
  throw new GitError('protocol', `${ask.url.display} is not a git repository: it did not answer ${type}`, {
    host: ask.url.authority,
  });
};

const discover = async (ask: ListOverHttp): Promise<{ readonly place: Place; readonly response: OpenAnswer }> => {
  const { scheme, authority, path, query } = ask.url;
  let place: Place = { base: new URL(`${scheme}://${authority}${path}${query}`), authorization: authorizationFor(ask) };
  for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
    const response = await send(ask, serviceUrl(place.base, 'info/refs'), { headers: headersFor(place) }, hop > 0);
    if (isFine(response)) return { place, response };
    response.discard();
    if (!isRedirect(response.status)) throw httpFailure(ask, response, place.authorization !== undefined);
    place = follow(place, response, ask);
  }
  throw new GitError('protocol', `${ask.url.display} redirects more than ${MAX_REDIRECTS} times`, {
    host: ask.url.authority,
  });
};

const requestRefs = async (ask: ListOverHttp, place: Place, body: Buffer): Promise<readonly GitRef[]> => {
  const init = {
    method: 'POST',
    body: ReadableStream.from([new Uint8Array(body)]),
    headers: {
      ...headersFor(place),
      'content-length': String(body.length),
      'content-type': 'application/x-git-upload-pack-request',
      accept: 'application/x-git-upload-pack-result',
    },
  };
  const response = await send(ask, serviceUrl(place.base, 'git-upload-pack'), init, true);
  if (!isFine(response)) {
    response.discard();
    throw httpFailure(ask, response, place.authorization !== undefined);
  }
  expectType(ask, response, 'application/x-git-upload-pack-result');
  return readLsRefs(readPackets(bodyOf(ask, response), { maxBytes: MAX_BODY_BYTES }));
};

/**
 * Refs of a repository over http(s). Every failure of host or network is a GitError; broken framing a PacketError for the caller
 * to name. Source: gitprotocol-http "Smart Clients", gitprotocol-v2 "ls-refs".
 */
export const listOverHttp = async (ask: ListOverHttp): Promise<readonly GitRef[]> => {
  const { place, response } = await discover(ask);
  expectType(ask, response, 'application/x-git-upload-pack-advertisement');
  const packets = readPackets(bodyOf(ask, response), { maxBytes: MAX_BODY_BYTES });
  const advertisement = await readAdvertisement(packets);
  await packets.return();
  if (advertisement.version === 1) return withPrefixes(advertisement.refs, ask.prefixes);
  const request = lsRefsRequest(ask.prefixes, advertisement.capabilities);
  return withPrefixes(await requestRefs(ask, place, request), ask.prefixes);
};
