/** Listing refs over http(s): one request for the capabilities, one for the refs. The one asker of git hosts, in functions and in build pods. */
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { hasHeard, type NodeFetch, type OpenAnswer } from '../egress/fetch.ts';
import { basicAuthorization } from '../secrets/authorization.ts';
import { GitError } from './errors.ts';
import { type Asked, firstHop, type Hop, nextHop, remedyFor, serviceUrl, subjectOf } from './hop.ts';
import { httpFailure, networkFailure } from './http-errors.ts';
import { isLoginPage } from './login-page.ts';
import { PacketError, readPackets } from './pkt-line.ts';
import { type GitRef, lsRefsRequest, readAdvertisement, readLsRefs, withPrefixes } from './refs.ts';

/** What a transport is asked: which refs of which repository, as whom, for how long. */
export interface ListOverHttp extends Asked {
  /** Full ref names or beginnings of them; the host is asked for these alone. */
  readonly prefixes: readonly string[];
  /** Ends the whole conversation; its TimeoutError becomes the code `timeout`. */
  readonly signal: AbortSignal;
  /** What goes out to the network. */
  readonly fetch: NodeFetch;
}

/** Where the repository really is, and what it has. */
export interface FoundRepository {
  readonly hop: Hop;
  readonly refs: readonly GitRef[];
}

/** Answers are read up to here: some 300,000 refs of an old host. Unpacked bytes are counted, so a compressed bomb ends here too. */
const MAX_BODY_BYTES = 32 * 1024 * 1024;
/** Of what is said in place of an answer. */
const MAX_WORDS_BYTES = 64 * 1024;
/** As many as git follows; a chain longer than this is a loop. */
const MAX_REDIRECTS = 20;
/** Some hosts answer only clients that call themselves git. */
const USER_AGENT = 'git/2.40 (kpackless)';

const headersFor = ({ login }: Hop): Record<string, string> => ({
  'git-protocol': 'version=2',
  'user-agent': USER_AGENT,
  'cache-control': 'no-cache',
  'accept-encoding': 'gzip',
  ...(login === undefined ? {} : { authorization: basicAuthorization(login) }),
});

const isRedirect = (status: number): boolean => [301, 302, 303, 307, 308].includes(status);

const isFine = ({ status }: OpenAnswer): boolean => status >= 200 && status < 300;

/** `isAlive`: has the host that was named answered before, perhaps by a redirect to another one? */
const send = async (
  ask: ListOverHttp,
  { base, isElsewhere }: Hop,
  service: Parameters<typeof serviceUrl>[1],
  init: Parameters<NodeFetch>[1],
  isAlive: boolean,
): Promise<OpenAnswer> => {
  try {
    return await ask.fetch(serviceUrl(base, service), { ...init, signal: ask.signal });
  } catch (error) {
    throw networkFailure(ask, error, { ...(isElsewhere && { to: base.host }), isAlive: isAlive || hasHeard(error) });
  }
};

/** What gzip packed. May be left before its end, which composed streams take for an error that nobody hears, and that ends the process. */
async function* unpacked(
  body: AsyncIterable<Uint8Array> | Iterable<never>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const gunzip = createGunzip();
  gunzip.on('error', () => undefined);
  const fed = pipeline(body, gunzip).catch(() => undefined);
  try {
    yield* gunzip as AsyncIterable<Uint8Array>;
  } finally {
    gunzip.destroy();
    await fed;
  }
}

async function* bodyOf(ask: ListOverHttp, response: OpenAnswer): AsyncGenerator<Uint8Array, void, undefined> {
  const encoding = (response.headers.get('content-encoding') ?? '').trim().toLowerCase();
  try {
    if (['gzip', 'x-gzip'].includes(encoding)) yield* unpacked(response.body ?? []);
    else if (['', 'identity'].includes(encoding)) yield* response.body ?? [];
    else throw new PacketError('its answer is in an encoding that was not asked for');
  } catch (error) {
    if (error instanceof PacketError) throw error;
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('Z_'))
      throw new PacketError('what it sends as gzip is damaged', { cause: error });
    throw networkFailure(ask, ask.signal.aborted ? ask.signal.reason : error, { isInAnswer: true });
  } finally {
    response.discard();
  }
}

/** The beginning of an answer that is words for people. It is looked at and never shown: the host may be none that the tenant can read. */
const wordsOf = async (ask: ListOverHttp, response: OpenAnswer): Promise<string> => {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of bodyOf(ask, response)) {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= MAX_WORDS_BYTES) break;
    }
  } catch (error) {
    // What came so far says enough; the failure that is told is the answer's own.
    if (!(error instanceof GitError) && !(error instanceof PacketError)) throw error;
  }
  return Buffer.concat(chunks).toString('utf8', 0, MAX_WORDS_BYTES);
};

const typeOf = (response: OpenAnswer): string =>
  response.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() ?? '';

/** An answer that is none of git's: a page to log in on, or of no git host. */
const notGit = async (ask: ListOverHttp, hop: Hop, response: OpenAnswer, type: string): Promise<GitError> => {
  const isPage = ['text/html', 'application/xhtml+xml'].includes(typeOf(response));
  const words = await wordsOf(ask, response);
  const subject = subjectOf(ask, hop);
  const options = { host: ask.url.authority };
  // 203 is how Azure DevOps hands out its page for logging in.
  if (response.status === 203 || (isPage && isLoginPage(words)))
    return new GitError(
      'unauthorized',
      `${subject} answers with a page to log in on (HTTP ${response.status}), ${remedyFor(hop)}`,
      options,
    );
  if (/^[0-9a-f]{40}\trefs\//u.test(words))
    return new GitError(
      'protocol',
      `${subject} lists its refs as a plain file, which is git's dumb protocol and not supported; let git http-backend serve it`,
      options,
    );
  const page = isPage ? ' but with a web page' : '';
  return new GitError(
    'protocol',
    `${subject} is not a git repository: it did not answer ${type}${page}; check the URL`,
    options,
  );
};

interface Discovery {
  readonly hop: Hop;
  readonly response: OpenAnswer;
}

const discover = async (ask: ListOverHttp): Promise<Discovery> => {
  let hop: Hop = firstHop(ask);
  for (let count = 0; count <= MAX_REDIRECTS; count += 1) {
    const response = await send(ask, hop, 'info/refs', { headers: headersFor(hop) }, count > 0);
    if (isFine(response)) return { hop, response };
    if (isRedirect(response.status)) {
      response.discard();
      hop = await nextHop(ask, hop, response);
    } else if (response.status === 401 && hop.held !== undefined) {
      response.discard();
      hop = { ...hop, login: hop.held, held: undefined };
    } else throw httpFailure(ask, hop, response, await wordsOf(ask, response));
  }
  throw new GitError('protocol', `${ask.url.display} redirects more than ${MAX_REDIRECTS} times; check the URL`, {
    host: ask.url.authority,
  });
};

/** What comes behind is not waited for, so that no answer stays open until the deadline tears it down. */
const thenLeave = async <T>(packets: AsyncGenerator<unknown, void, undefined>, reading: Promise<T>): Promise<T> => {
  try {
    return await reading;
  } finally {
    await packets.return();
  }
};

const requestRefs = async (ask: ListOverHttp, hop: Hop, body: Buffer): Promise<readonly GitRef[]> => {
  const type = 'application/x-git-upload-pack-result';
  const init = {
    method: 'POST',
    body: ReadableStream.from([new Uint8Array(body)]),
    headers: {
      ...headersFor(hop),
      'content-length': String(body.length),
      'content-type': 'application/x-git-upload-pack-request',
      accept: type,
    },
  };
  const response = await send(ask, hop, 'git-upload-pack', init, true);
  if (!isFine(response)) throw httpFailure(ask, hop, response, await wordsOf(ask, response));
  if (typeOf(response) !== type) throw await notGit(ask, hop, response, type);
  const packets = readPackets(bodyOf(ask, response), { maxBytes: MAX_BODY_BYTES });
  return await thenLeave(packets, readLsRefs(packets));
};

/**
 * Finds the repository hop by hop and lists its refs. Every failure of host or network is a GitError; broken framing a PacketError for the caller
 * to name. Source: gitprotocol-http "Smart Clients", gitprotocol-v2 "ls-refs".
 */
export const findOverHttp = async (ask: ListOverHttp): Promise<FoundRepository> => {
  const { hop, response } = await discover(ask);
  const type = 'application/x-git-upload-pack-advertisement';
  if (typeOf(response) !== type) throw await notGit(ask, hop, response, type);
  const packets = readPackets(bodyOf(ask, response), { maxBytes: MAX_BODY_BYTES });
  const advertisement = await thenLeave(packets, readAdvertisement(packets));
  if (advertisement.version === 1) return { hop, refs: withPrefixes(advertisement.refs, ask.prefixes) };
  const request = lsRefsRequest(ask.prefixes, advertisement.capabilities);
  return { hop, refs: withPrefixes(await requestRefs(ask, hop, request), ask.prefixes) };
};
