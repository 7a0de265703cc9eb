/** Listing refs over http(s): one request for the capabilities, one for the refs, on native fetch. */
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
  ...(authorization === undefined ? {} : { authorization }),
});

const isRedirect = (status: number): boolean => [301, 302, 303, 307, 308].includes(status);

/** Where a redirect of the first request leads. Credentials stay with the host they are for, and nothing falls back to plain http. */
const follow = (place: Place, response: Response, ask: ListOverHttp): Place => {
  const protocolError = (why: string): GitError =>
    new GitError('protocol', `${ask.url.display} ${why}; set the URL the host redirects to`, {
      host: ask.url.authority,
    });
  const location = response.headers.get('location');
  const from = serviceUrl(place.base, 'info/refs');
  if (location === null || !URL.canParse(location, from.href)) throw protocolError('redirects without saying where');
  const target = new URL(location, from.href);
  if (target.protocol !== 'https:' && target.protocol !== place.base.protocol) {
    throw protocolError(`redirects to ${target.protocol}//, which is not followed`);
  }
  if (!target.pathname.endsWith('/info/refs')) throw protocolError('redirects to something that is not a repository');
  target.pathname = target.pathname.slice(0, -'/info/refs'.length);
  target.searchParams.delete('service');
  target.username = '';
  target.password = '';
  return { base: target, authorization: target.origin === place.base.origin ? place.authorization : undefined };
};

const send = async (ask: ListOverHttp, input: URL, init: RequestInit): Promise<Response> => {
  try {
    return await fetch(input, { ...init, signal: ask.signal, redirect: 'manual' });
  } catch (error) {
    throw networkFailure(ask, error);
  }
};

async function* bodyOf(ask: ListOverHttp, response: Response): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    if (response.body !== null) yield* response.body;
  } catch (error) {
    throw networkFailure(ask, error, true);
  }
}

const expectType = async (ask: ListOverHttp, response: Response, type: string): Promise<void> => {
  const actual = response.headers.get('content-type')?.split(';')[0]?.trim() ?? '';
  if (actual === type) return;
  await response.body?.cancel();
  throw new GitError(
    'protocol',
    `${ask.url.display} is not a git repository: it answered ${JSON.stringify(actual.slice(0, 60))} instead of ${type}`,
    {
      host: ask.url.authority,
    },
  );
};

const discover = async (ask: ListOverHttp): Promise<{ readonly place: Place; readonly response: Response }> => {
  const { scheme, authority, path, query } = ask.url;
  let place: Place = { base: new URL(`${scheme}://${authority}${path}${query}`), authorization: authorizationFor(ask) };
  for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
    const response = await send(ask, serviceUrl(place.base, 'info/refs'), { headers: headersFor(place) });
    if (response.ok) return { place, response };
    await response.body?.cancel();
    if (!isRedirect(response.status)) throw httpFailure(ask, response, place.authorization !== undefined);
    place = follow(place, response, ask);
  }
  throw new GitError('protocol', `${ask.url.display} redirects more than ${MAX_REDIRECTS} times`, {
    host: ask.url.authority,
  });
};

const requestRefs = async (ask: ListOverHttp, place: Place, body: Buffer): Promise<readonly GitRef[]> => {
  const response = await send(ask, serviceUrl(place.base, 'git-upload-pack'), {
    method: 'POST',
    body: new Uint8Array(body),
    headers: {
      ...headersFor(place),
      'content-type': 'application/x-git-upload-pack-request',
      accept: 'application/x-git-upload-pack-result',
    },
  });
  if (!response.ok) {
    await response.body?.cancel();
    throw httpFailure(ask, response, place.authorization !== undefined);
  }
  await expectType(ask, response, 'application/x-git-upload-pack-result');
  return readLsRefs(readPackets(bodyOf(ask, response), { maxBytes: MAX_BODY_BYTES }));
};

/**
 * Refs of a repository over http(s). Every failure of host or network is a GitError; broken framing a PacketError for the caller
 * to name. Source: gitprotocol-http "Smart Clients", gitprotocol-v2 "ls-refs".
 */
export const listOverHttp = async (ask: ListOverHttp): Promise<readonly GitRef[]> => {
  const { place, response } = await discover(ask);
  await expectType(ask, response, 'application/x-git-upload-pack-advertisement');
  const packets = readPackets(bodyOf(ask, response), { maxBytes: MAX_BODY_BYTES });
  const advertisement = await readAdvertisement(packets);
  await packets.return();
  if (advertisement.version === 1) return withPrefixes(advertisement.refs, ask.prefixes);
  const request = lsRefsRequest(ask.prefixes, advertisement.capabilities);
  return withPrefixes(await requestRefs(ask, place, request), ask.prefixes);
};
