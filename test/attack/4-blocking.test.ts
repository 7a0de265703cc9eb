/**
 * Nothing that a tenant or a host writes keeps the process from others: each text, at its largest allowed size, is read or refused within half a
 * second of processor time (milliseconds on a quiet machine). All of these took seconds to minutes, or overflowed the stack.
 */
import { generateKeyPairSync } from 'node:crypto';
import { type AddressInfo, createServer } from 'node:net';
import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lastWords } from '../../lib/builds/last-words.ts';
import { parseBuildMetadata } from '../../lib/builds/metadata.ts';
import { PermanentError } from '../../lib/errors/expected.ts';
import { hostKeyVerdict, MAX_KNOWN_HOSTS, parseKnownHosts } from '../../lib/git/known-hosts.ts';
import { readPackets } from '../../lib/git/pkt-line.ts';
import { withPrefixes } from '../../lib/git/refs.ts';
import { listOverSsh } from '../../lib/git/ssh.ts';
import { parseGitUrl } from '../../lib/git/url.ts';
import { payloadIn } from '../../lib/hooks/pushed.ts';
import { proofOf } from '../../lib/hooks/signature.ts';
import { parseChallenge } from '../../lib/oci/challenge.ts';
import { keychainFromSecrets } from '../../lib/oci/credentials.ts';
import { parseObject } from '../../lib/oci/descriptor.ts';
import { readUpTo } from '../../lib/oci/http.ts';
import { reading } from '../../lib/oci/keychain.ts';
import { nextIn } from '../../lib/oci/link.ts';
import { parseRepository } from '../../lib/oci/reference.ts';
import { responseError } from '../../lib/oci/response-error.ts';
import { retryAfterSeconds } from '../../lib/oci/retry-after.ts';
import { openCosignKey } from '../../lib/signing/cosign-key.ts';
import { openPkcs8Key } from '../../lib/signing/pkcs8-key.ts';
import { listedIn, mayConcern } from '../../lib/sources/git-poll.ts';
import { openGitWay } from '../support/open-egress.ts';
import { areQuick, millisecondsOf, mostMilliseconds } from './processor-time.ts';

const kib = 1024;
const mib = 1024 * kib;

const named = (count: number) => Array.from({ length: count }, (_, n) => `bp${n}`);
const repository = parseRepository('registry.example.com/team/app');
const secretOf = (type: string, data: Readonly<Record<string, string>>) => ({
  metadata: { name: 's', namespace: 'ns' },
  type,
  data: Object.fromEntries(Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')])),
});
const lookUp = (type: string, key: string, text: string) => async () => {
  const secrets = [secretOf(type, { [key]: text })];
  await keychainFromSecrets({ accountSecrets: secrets, pullSecrets: secrets })(repository, reading);
};
const dockerConfig = (auths: object) =>
  lookUp('kubernetes.io/dockerconfigjson', '.dockerconfigjson', JSON.stringify({ auths }));
const pem = (body: string, label = 'ENCRYPTED SIGSTORE PRIVATE KEY') =>
  `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`;
const ssh = (privateKey: string, knownHosts?: string) => () =>
  listOverSsh({
    dial: openGitWay.dial,
    url: parseGitUrl('git@git.example.com:a/b'),
    credential: {
      kind: 'ssh',
      secretName: 's',
      username: 'git',
      privateKey,
      ...(knownHosts === undefined ? {} : { knownHosts }),
    },
    prefixes: [],
    signal: AbortSignal.abort(new PermanentError('', 'not dialled')),
    trustUnknownHosts: true,
  });

describe('a Secret', () => {
  areQuick([
    ['cosign.key of 4 KiB of white space', () => openCosignKey(`-----BEGIN B----- ${'\t'.repeat(4 * kib)}\0`, '')],
    ['cosign.key of dashes', () => openCosignKey('-----BEGIN '.repeat(5900), '')],
    ['cosign.key of 1 MiB', () => openCosignKey(pem(' '.repeat(mib)), '')],
    ['cosign.key of brackets', () => openCosignKey(pem(Buffer.from('['.repeat(40 * kib)).toString('base64')), '')],
    ['a PKCS#8 key of white space', () => openPkcs8Key(`${' '.repeat(60 * kib)}-----BEGIN PRIVATE KEY-----`)],
    [
      'a docker config of one key without a slash',
      dockerConfig({ [`\n${':'.repeat(mib - 100)}S/\n`]: { auth: 'YTpi' } }),
    ],
    [
      'a docker config of 60,000 keys',
      dockerConfig(Object.fromEntries(Array.from({ length: 60_000 }, (_, n) => [`h${n}`, {}]))),
    ],
    [
      'a docker config of globs',
      dockerConfig(
        Object.fromEntries(
          Array.from({ length: 20_000 }, (_, n) => [`${'*a'.repeat(12)}${n}.example.com`, { auth: 'YTpi' }]),
        ),
      ),
    ],
    ['an auth field of 1 MiB', dockerConfig({ a: { auth: `${'A'.repeat(mib - 100)}!` } })],
    ['an auth field of padding', dockerConfig({ a: { auth: '='.repeat(mib - 100) } })],
    ['a docker config of brackets', lookUp('kubernetes.io/dockercfg', '.dockercfg', '['.repeat(mib))],
    ['an ssh key with endless headers', ssh(`-----BEGIN RSA PRIVATE KEY-----\n${'a: b\n'.repeat(100_000)}`)],
    ['an ssh key of line breaks', ssh(pem('\n'.repeat(15 * kib), 'RSA PRIVATE KEY'))],
    ['an ssh key of colons', ssh(pem(':\t\n'.repeat(5 * kib), 'RSA PRIVATE KEY'))],
    ['an ssh key for PuTTY', ssh(`PuTTY-User-Key-File-2: ssh-rsa\r\n${'Encryption: none\r\n'.repeat(50_000)}`)],
    ['known_hosts of 1 MiB', ssh(pem('AAAA', 'PRIVATE KEY'), 'a '.repeat(mib / 2))],
  ]);

  it.each([16384, 15360])(
    'an RSA key of %d bits signs nothing: each signature would take the time of a hundred',
    (bits) => {
      // No time to make one: a DER header that says so, which is enough for the platform to read it.
      const integer = (bytes: Buffer) =>
        Buffer.concat([Buffer.from([2, 0x82, bytes.length >> 8, bytes.length & 255]), bytes]);
      const large = Buffer.alloc(bits / 8 + 1, 0xff);
      large[0] = 0;
      const sequence = Buffer.concat([integer(Buffer.from([0])), ...Array.from({ length: 8 }, () => integer(large))]);
      const rsa = Buffer.concat([Buffer.from([0x30, 0x82, sequence.length >> 8, sequence.length & 255]), sequence]);
      expect(() => openPkcs8Key(pem(rsa.toString('base64'), 'PRIVATE KEY'))).toThrow(/has more than/);
    },
  );

  it('a key on a curve that is not in use signs nothing', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'sect571r1' });
    const text = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
    expect(() => openPkcs8Key(text)).toThrow(/of a curve other than/);
  });

  it('known_hosts at its bound, against the longest host', async () => {
    const host = `${'a'.repeat(250)}.b`;
    const line = `*${'a'.repeat(130)}*${'a'.repeat(130)}c,* ssh-ed25519 AAAA\n`;
    const text = line.repeat(Math.floor(MAX_KNOWN_HOSTS / line.length));
    expect(
      await millisecondsOf(() => hostKeyVerdict(parseKnownHosts(text), { host, port: 22 }, Buffer.from('k'))),
    ).toBeLessThan(2 * mostMilliseconds);
  });
});

const answerOf = (body: string, status = 400) => ({
  status,
  statusText: '',
  headers: new Headers(),
  url: new URL('https://registry.example.com/v2/'),
  body: (async function* () {
    yield Buffer.from(body);
  })(),
});
const bytewise = async function* (count: number) {
  const byte = Buffer.from('a');
  for (let n = 0; n < count; n += 1) yield byte;
};
const packetsOf = async (chunks: AsyncIterable<Uint8Array>) => {
  let count = 0;
  for await (const _ of readPackets(chunks, { maxBytes: 32 * mib })) count += 1;
  return count;
};

describe('an answer of a registry', () => {
  areQuick([
    ['of brackets as a manifest', () => parseObject(Buffer.from('['.repeat(4 * mib)), 'it')],
    [
      'of keys as a manifest',
      () =>
        parseObject(
          Buffer.from(
            `{${named(300_000)
              .map((id) => `"${id}":1`)
              .join(',')}}`,
          ),
          'it',
        ),
    ],
    ['of quotes as a manifest', () => parseObject(Buffer.from('"\\'.repeat(2 * mib)), 'it')],
    [
      'of nested details as an error',
      () =>
        responseError(
          'GET',
          answerOf(`{"errors":[{"code":"A","detail":${'['.repeat(30_000)}${']'.repeat(30_000)}}]}`),
          0,
        ),
    ],
    ['with an endless Link', () => nextIn('EL=NEXT<>;'.repeat(800))],
    ['with an endless challenge', () => parseChallenge(`Bearer ${'a="\\'.repeat(4000)}`)],
    ['with an endless Retry-After', () => retryAfterSeconds(`Mon${', '.repeat(8000)}`, 0)],
  ]);

  it('that comes byte by byte is one buffer', async () => {
    expect(await millisecondsOf(() => readUpTo(bytewise(300_000), mib))).toBeLessThan(mostMilliseconds);
  });
});

describe('an answer of a git host', () => {
  const refs = Array.from({ length: 300_000 }, (_, n) => ({ name: `refs/heads/b${n}`, hash: 'a'.repeat(40) }));
  const prefixes = Array.from({ length: 600 }, (_, n) => `refs/tags/t${n}`);

  it('of 300,000 refs, for a hundred followers', async () => {
    expect(await millisecondsOf(() => withPrefixes(refs, prefixes))).toBeLessThan(2 * mostMilliseconds);
  });

  it('is filtered as if each prefix were tried', () => {
    const names = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 6 }), { maxLength: 12 });
    fc.assert(
      fc.property(names, names, (all, some) => {
        const found = all.map((name) => ({ name, hash: 'a'.repeat(40) }));
        const wanted =
          some.length === 0 ? found : found.filter(({ name }) => some.some((prefix) => name.startsWith(prefix)));
        expect(withPrefixes(found, some)).toEqual(wanted);
      }),
      { seed: 4, numRuns: 300 },
    );
  });

  it('that comes byte by byte is not copied for each byte', async () => {
    const packet = Buffer.from(`fff0${'x'.repeat(65_516)}`);
    const chunks = async function* () {
      for (let round = 0; round < 4; round += 1) for (const byte of packet) yield Buffer.from([byte]);
    };
    expect(await millisecondsOf(async () => expect(await packetsOf(chunks())).toBe(4))).toBeLessThan(
      2 * mostMilliseconds,
    );
  });

  it('over ssh chooses no prime: only looking at one takes half a minute', async () => {
    const offered = await new Promise<string>((resolve) => {
      const server = createServer((socket) => {
        let heard = '';
        socket.on('error', () => undefined);
        socket.on('data', (bytes) => {
          heard += bytes.toString('latin1');
          if (!heard.includes('ssh-ed25519')) return;
          socket.destroy();
          server.close();
          resolve(heard);
        });
        socket.write('SSH-2.0-host\r\n');
      }).listen(0, '127.0.0.1', () => {
        const { port } = server.address() as AddressInfo;
        const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
        const key = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
        const url = parseGitUrl(`ssh://git@127.0.0.1:${port}/a`);
        const credential = { kind: 'ssh', secretName: 's', username: 'git', privateKey: key } as const;
        listOverSsh({
          dial: openGitWay.dial,
          url,
          credential,
          prefixes: [],
          signal: AbortSignal.timeout(5000),
          trustUnknownHosts: true,
        }).catch(() => undefined);
      });
    });
    expect(offered).toContain('curve25519-sha256');
    expect(offered).not.toContain('group-exchange');
  });
});

describe('what a shared poll knows', () => {
  const entries = Array.from({ length: 20_000 }, (_, n) => ({
    revision: `b${n}`,
    seen: ['-'],
    found: undefined,
    version: 'v',
  }));
  const refs = Array.from({ length: 20_000 }, (_, n) => ({ name: `refs/heads/b${n}`, hash: 'a'.repeat(40) }));
  const pushed = new Set(Array.from({ length: 10_000 }, (_, n) => `refs/heads/x${n}`));
  areQuick([
    ['of 20,000 revisions is compared', () => listedIn(entries, refs)],
    [
      'of 20,000 revisions is compared with a push of 10,000 refs',
      () =>
        mayConcern(
          entries.map(({ revision }) => revision),
          pushed,
        ),
    ],
  ]);
});

describe('a hook', () => {
  const body = (text: string) => ({ headers: { 'x-github-event': 'push' }, body: Buffer.from(text) });
  areQuick([
    ['of brackets', () => payloadIn('github', body('['.repeat(mib)))],
    [
      'of keys',
      () =>
        payloadIn(
          'github',
          body(
            `{${named(70_000)
              .map((id) => `"${id}":1`)
              .join(',')}}`,
          ),
        ),
    ],
    [
      'with an endless header',
      () =>
        proofOf('generic', { headers: { authorization: `Bearer ${' '.repeat(mib)}` }, body: Buffer.alloc(0) }, [
          { secret: 's', scope: 'everything' },
        ]),
    ],
  ]);
});

describe('what a pod says', () => {
  const bomb = gzipSync(Buffer.alloc(64 * mib, 32)).toString('base64');
  areQuick([
    ['as a compressed bomb', () => parseBuildMetadata(bomb)],
    [
      'in a log of escapes',
      () => lastWords({ container: 'build', exitCode: 1 } as never, '\u001B[1;1;1;1;'.repeat(6000)),
    ],
    ['in a log of one line', () => lastWords({ container: 'build', exitCode: 1 } as never, '\uFFFD'.repeat(64 * kib))],
  ]);
});
