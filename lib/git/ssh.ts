/** Listing refs over ssh: `git-upload-pack` on the host, the same conversation as over http on its standard streams. */
import type { Socket } from 'node:net';
import type { ClientChannel, ConnectConfig, KexAlgorithm, ServerHostKeyAlgorithm } from 'ssh2';
import ssh2 from 'ssh2';
import type { Dial } from '../egress/guard.ts';
import { type SshCredential, usableKey } from './credentials.ts';
import { GitError } from './errors.ts';
import { networkFailure } from './http-errors.ts';
import {
  type HostKeyVerdict,
  hostKeyVerdict,
  knownAlgorithms,
  MAX_KNOWN_HOSTS,
  parseKnownHosts,
} from './known-hosts.ts';
import { PacketError, readPackets, writePacket } from './pkt-line.ts';
import { type GitRef, lsRefsRequest, readAdvertisement, readLsRefs, withPrefixes } from './refs.ts';
import { type Progress, remoteFailure, SshClosedError, shellQuoted, sshFailure } from './ssh-errors.ts';
import type { GitUrl } from './url.ts';

/** What the ssh transport is asked; see `ListOverHttp` for the shared fields. */
export interface ListOverSsh {
  readonly url: GitUrl;
  readonly credential: SshCredential;
  readonly prefixes: readonly string[];
  readonly signal: AbortSignal;
  /** Accept a host that nobody knows, unless the Secret has known_hosts: what is given is obeyed. */
  readonly trustUnknownHosts: boolean;
  /** Hosts known to the installation, used when the Secret has no known_hosts of its own. */
  readonly knownHosts?: string | undefined;
  /** What goes out to the network. */
  readonly dial: Dial;
}

/** Versions before 2 send every ref; this many bytes are some 300,000 of them. */
const MAX_BODY_BYTES = 32 * 1024 * 1024;
/** Complaints are one sentence; the rest is banner. */
const MAX_STDERR_BYTES = 8 * 1024;

/** ssh2 knows exactly these; a file may name others (certificates, security keys), which cannot be asked for. */
const SUPPORTED: readonly ServerHostKeyAlgorithm[] = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
  'ssh-rsa',
];

/**
 * What is agreed on with a host: elliptic curves, and groups that everybody knows. Group exchange lets the host name a prime, and only looking
 * whether it is one takes half a minute in which nobody else is served.
 */
const KEY_EXCHANGES: readonly KexAlgorithm[] = [
  'curve25519-sha256',
  'curve25519-sha256@libssh.org',
  'ecdh-sha2-nistp256',
  'ecdh-sha2-nistp384',
  'ecdh-sha2-nistp521',
  'diffie-hellman-group14-sha256',
  'diffie-hellman-group16-sha512',
  'diffie-hellman-group18-sha512',
];

interface HostCheck {
  readonly config: Pick<ConnectConfig, 'algorithms' | 'hostVerifier'>;
  /** What was found when the host showed its key; undefined before. */
  readonly verdict: () => HostKeyVerdict | undefined;
}

const hostCheck = ({ url, credential, knownHosts = '', trustUnknownHosts }: ListOverSsh): HostCheck => {
  const text = credential.knownHosts ?? knownHosts;
  if (text.length > MAX_KNOWN_HOSTS)
    throw new GitError(
      'host-key-unknown',
      `known_hosts of Secret ${credential.secretName} has more than ${MAX_KNOWN_HOSTS} characters; leave in it the hosts that are needed`,
      { host: url.authority },
    );
  const entries = parseKnownHosts(text);
  const wanted = knownAlgorithms(entries, url);
  const algorithms = SUPPORTED.filter((algorithm) => wanted?.includes(algorithm) === true);
  let verdict: HostKeyVerdict | undefined;
  const hostVerifier = (key: Buffer): boolean => {
    verdict = hostKeyVerdict(entries, url, key);
    return verdict === 'known' || (verdict === 'unknown' && trustUnknownHosts && credential.knownHosts === undefined);
  };
  const offered = { kex: [...KEY_EXCHANGES], ...(algorithms.length === 0 ? {} : { serverHostKey: algorithms }) };
  return { config: { algorithms: offered, hostVerifier }, verdict: () => verdict };
};

/** Runs the conversation on an open channel; ends when the refs are read, the host complains or the signal fires. */
const converse = async (channel: ClientChannel, ask: ListOverSsh): Promise<readonly GitRef[]> => {
  let complaint = '';
  channel.stderr.on('data', (chunk: Buffer) => {
    if (complaint.length < MAX_STDERR_BYTES) complaint += chunk.toString('utf8');
  });
  try {
    const packets = readPackets(channel, { maxBytes: MAX_BODY_BYTES });
    const advertisement = await readAdvertisement(packets);
    const flush = writePacket({ kind: 'flush' });
    if (advertisement.version === 1) {
      channel.end(flush);
      return withPrefixes(advertisement.refs, ask.prefixes);
    }
    channel.write(lsRefsRequest(ask.prefixes, advertisement.capabilities));
    const refs = await readLsRefs(packets);
    channel.end(flush);
    return withPrefixes(refs, ask.prefixes);
  } catch (error) {
    // A host that refuses writes its reason to stderr and closes: the broken stream is only the symptom.
    if (error instanceof PacketError && complaint.trim() !== '') throw remoteFailure(ask.url, complaint, error);
    throw error;
  }
};

/** Of what a host sends first; its version has at most 255 bytes (RFC 4253 §4.2), and lines may come before. */
const MAX_GREETING_BYTES = 2048;

/** One attempt to log in. */
interface Attempt {
  readonly client: InstanceType<typeof ssh2.Client>;
  readonly sock: Socket;
  readonly check: HostCheck;
  readonly privateKey: string;
  readonly progress: () => Progress;
}

const attemptOver = (sock: Socket, check: HostCheck, privateKey: string): Attempt => {
  let greeting = '';
  sock.on('data', (chunk: Buffer) => {
    if (greeting.length < MAX_GREETING_BYTES) greeting += chunk.toString('latin1', 0, MAX_GREETING_BYTES);
  });
  const progress = (): Progress => ({ verdict: check.verdict(), greeting });
  return { client: new ssh2.Client(), sock, check, privateKey, progress };
};

const open = ({ client, sock, check, privateKey, progress }: Attempt, ask: ListOverSsh): Promise<ClientChannel> =>
  new Promise((resolve, reject) => {
    const fail = (error: Error): void => reject(sshFailure(ask, error, progress()));
    client.on('error', fail);
    client.on('close', () => fail(new SshClosedError('connection closed')));
    client.on('ready', () => {
      const command = `git-upload-pack ${shellQuoted(ask.url.path)}`;
      client.exec(command, { env: { GIT_PROTOCOL: 'version=2' } }, (error, channel) => {
        if (error === undefined) resolve(channel);
        else fail(error);
      });
    });
    client.connect({
      sock,
      username: ask.url.user ?? ask.credential.username,
      privateKey,
      readyTimeout: 0,
      ...check.config,
    });
  });

/**
 * Refs of a repository over ssh, asked for in protocol version 2; a host that does not pass `GIT_PROTOCOL` on answers with all its
 * refs, which is understood too. Every failure of host, key or network is a GitError; broken framing a PacketError for the caller.
 */
export const listOverSsh = async (ask: ListOverSsh): Promise<readonly GitRef[]> => {
  // The library reads keys with patterns that backtrack: what it gets is what was written here.
  const privateKey = usableKey(ask.credential, ask.url);
  ask.signal.throwIfAborted();
  const check = hostCheck(ask);
  const sock = await ask.dial(ask.url.host, ask.url.port, ask.signal).catch((error: unknown) => {
    throw networkFailure(ask, error);
  });
  const attempt = attemptOver(sock, check, privateKey);
  const aborted = new Promise<never>((_, reject) => {
    ask.signal.addEventListener('abort', () => reject(sshFailure(ask, ask.signal.reason, attempt.progress())), {
      once: true,
    });
  });
  try {
    return await Promise.race([open(attempt, ask).then((channel) => converse(channel, ask)), aborted]);
  } finally {
    attempt.client.destroy();
    sock.destroy();
  }
};
