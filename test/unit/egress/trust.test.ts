/** Certificates that a process is given. Each case is a process of its own: what it trusts is the process's. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { certificatesGiven } from '../../../lib/egress/trust.ts';
import { selfSigned } from '../../support/self-signed.ts';
import { rawTar } from '../../support/tar.ts';

const run = promisify(execFile);
let folder = '';
const at = (name: string): string => join(folder, name);
const mine = { key: '', cert: '' };
let other = '';
let port = 0;
const server = { close: (): void => undefined };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kpackless-trust-'));
  Object.assign(mine, await selfSigned());
  other = (await selfSigned()).cert;
  await writeFile(at('mine.pem'), `# our own authority\n${other}${mine.cert}`);
  await writeFile(at('other.pem'), other);
  for (const name of ['hashed', 'mounted', 'mounted/..2026', 'empty']) await mkdir(at(name));
  await writeFile(at('hashed/ours.crt'), mine.cert);
  await symlink('ours.crt', at('hashed/0123abcd.0'));
  // As the kubelet mounts ConfigMaps.
  await writeFile(at('mounted/..2026/ours.crt'), mine.cert);
  await symlink('..2026', at('mounted/..data'));
  await symlink('..data/ours.crt', at('mounted/ours.crt'));
  await writeFile(at('mounted/readme'), 'no certificate');
  await writeFile(at('broken.pem'), `-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n${mine.cert}`);
  const https = createServer(mine, (request, response) => {
    if (request.url === '/a.tar') return void response.end(rawTar([{ name: 'a', body: 'unpacked' }]));
    response.writeHead(200, { 'content-type': 'application/vnd.oci.image.manifest.v1+json' });
    response.end(request.url === '/v2/' ? '' : '{"schemaVersion":2}');
  }).listen(0, '127.0.0.1');
  await once(https, 'listening');
  port = (https.address() as AddressInfo).port;
  server.close = () => {
    https.close();
    https.closeAllConnections();
  };
});
afterAll(async () => {
  server.close();
  await rm(folder, { recursive: true, force: true });
});

type Environment = Readonly<Record<string, string>>;

/** What a module prints that runs with these variables and no others; an error by its message. */
const printed = async (body: string, env: Environment): Promise<string> => {
  const program = `
    const said = await (async () => { ${body} })().catch((error) => 'failed: ' + error.message);
    process.stdout.write(String(said), () => process.exit());`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program], { env, timeout: 50_000 });
  return stdout;
};

const registry = (): string => `
  const { openRegistry } = await import('./lib/oci/client.ts');
  const { parseReference } = await import('./lib/oci/reference.ts');
  return (await openRegistry({ retry: { attempts: 1 } }).getManifest(parseReference('127.0.0.1:${port}/team/app:1'))).bytes.byteLength;`;
const blob = (): string => `
  const { download } = await import('./lib/steps/prepare/download.ts');
  return (await download(new URL('https://127.0.0.1:${port}/a.tar'), ${JSON.stringify(at('downloaded'))}, { signal: AbortSignal.timeout(5000), retryAfterMilliseconds: [] })).length;`;
const guarded = (): string => `
  const { blobFetch, registryFetch } = await import('./functions/egress.ts');
  const { parseCidrs } = await import('./lib/egress/cidr.ts');
  const settings = { KPACKLESS_EGRESS_ALLOW: parseCidrs('127.0.0.1'), KPACKLESS_EGRESS_DENY: [], KPACKLESS_EGRESS_PRIVATE: 'refuse' };
  const url = new URL('https://127.0.0.1:${port}/v2/');
  const ca = ${JSON.stringify(other)};
  return (await Promise.all([blobFetch(settings), registryFetch(settings), registryFetch(settings, { ca })].map((fetch) => fetch(url, {})))).map(({ status }) => status);`;

describe('certificates that a process is given', { timeout: 60_000 }, () => {
  it.each([
    ['in SSL_CERT_FILE', () => ({ SSL_CERT_FILE: at('mine.pem') })],
    ['in SSL_CERT_FILE beside what is none', () => ({ SSL_CERT_FILE: at('broken.pem') })],
    ['in a folder of SSL_CERT_DIR, by name and by hash', () => ({ SSL_CERT_DIR: `${at('empty')}:${at('hashed')}` })],
    [
      'in a folder of SSL_CERT_DIR that is a mounted ConfigMap',
      () => ({ SSL_CERT_DIR: at('mounted'), SSL_CERT_FILE: at('other.pem') }),
    ],
  ])(
    '%s count for registries and blobs in pods, and for all that functions ask',
    async (_where, env: () => Environment) => {
      expect(await Promise.all([registry(), blob(), guarded()].map((body) => printed(body, env())))).toEqual([
        '19',
        '64',
        '200,200,200',
      ]);
    },
  );

  it.each([
    ['none', () => ({})],
    ['another’s', () => ({ SSL_CERT_FILE: at('other.pem'), SSL_CERT_DIR: at('empty') })],
    ['a file that is not there', () => ({ SSL_CERT_FILE: at('nowhere.pem'), SSL_CERT_DIR: at('nowhere') })],
  ])('that are %s let nobody in, and are no error', async (_what, env: () => Environment) => {
    const refusals = await Promise.all([registry(), blob(), guarded()].map((body) => printed(body, env())));
    for (const refusal of refusals) expect(refusal).toMatch(/^failed: .*self-signed/);
  });

  it.each<[string, (text: string) => string]>([
    ['CRLF', (text) => text.replaceAll('\n', '\r\n')],
    ['a byte order mark', (text) => `\uFEFF${text}`],
    ['its content in one line', (text) => text.replaceAll(/(?<=[A-Za-z\d+/=])\n(?=[A-Za-z\d+/=])/gu, '')],
    ['empty lines and blanks', (text) => text.replaceAll('\n', ' \t\n\n')],
    [
      'words and other blocks around it',
      (text) => `Subject: x\n${text}more\n${text.replaceAll('CERTIFICATE', 'X509 CRL')}`,
    ],
    ['one that is cut off before it', (text) => `${text.slice(0, 200)}\n${text}`],
  ])('are read as Go reads them with %s', async (_, changed) => {
    await writeFile(at('odd.pem'), changed(mine.cert));
    expect(certificatesGiven({ SSL_CERT_FILE: at('odd.pem') }, { system: false })).toEqual([mine.cert.trim()]);
  });

  it('are the system’s where no variable names them, in pods alone', () => {
    const system = certificatesGiven({}, { system: true });
    const named = certificatesGiven({ SSL_CERT_FILE: at('mine.pem') }, { system: true });
    expect(named).toEqual(expect.arrayContaining([mine.cert.trim(), other.trim()]));
    expect(certificatesGiven({ SSL_CERT_FILE: at('mine.pem'), SSL_CERT_DIR: at('hashed') }, { system: true })).toEqual([
      other.trim(),
      mine.cert.trim(),
    ]);
    expect(certificatesGiven({}, { system: false })).toEqual([]);
    expect(certificatesGiven({ SSL_CERT_FILE: '', SSL_CERT_DIR: '' }, { system: false })).toEqual([]);
    expect(new Set(system).size).toBe(system.length);
  });
});
