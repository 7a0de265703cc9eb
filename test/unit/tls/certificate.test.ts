/** Our certificates as others read them: Node's TLS, and OpenSSL where it is installed. */
import { execFileSync, spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, get } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isAuthority, issueFor, makeAuthority } from '../../../lib/tls/certificate.ts';

const now = new Date();
const authority = makeAuthority('kpackless conversion', { now, days: 3650 });
const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

/** What a client says that trusts `ca` and calls the server by `servername`. */
const called = async (pair: { cert: string; key: string }, ca: string, servername: string): Promise<string> => {
  const server = createServer(pair, (_request, response) => response.end('heard'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    return await new Promise((resolve) => {
      get({ host: '127.0.0.1', port, servername, ca, agent: false }, (response) => {
        response.setEncoding('utf8').on('data', resolve);
      }).on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    });
  } finally {
    server.closeAllConnections();
    server.close();
  }
};

describe('a certificate of ours', () => {
  const names = ['kpackless-conversion.kpack.svc', '127.0.0.1', '::1', 'fd00::1:2'];
  const leaf = issueFor(authority, names, { now, days: 30 });

  it('is for every name and address it was asked for, and a server’s alone', () => {
    const read = new X509Certificate(leaf.cert);
    expect(read.checkHost('kpackless-conversion.kpack.svc')).toBe('kpackless-conversion.kpack.svc');
    for (const address of names.slice(1)) expect(read.checkIP(address)).toBe(address);
    expect(read.checkHost('other.kpack.svc')).toBeUndefined();
    expect(read.ca).toBe(false);
    expect(read.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    expect(read.issuer).toBe('CN=kpackless conversion');
    expect(read.verify(new X509Certificate(authority.cert).publicKey)).toBe(true);
  });

  it('lives as long as it was asked to, from an hour ago', () => {
    const read = new X509Certificate(leaf.cert);
    expect(Math.abs(Date.parse(read.validFrom) - (now.getTime() - 3_600_000))).toBeLessThan(1001);
    expect(Math.abs(Date.parse(read.validTo) - (now.getTime() + 30 * 86_400_000))).toBeLessThan(1001);
    const late = new X509Certificate(makeAuthority('x', { now, days: 36_500 }).cert);
    expect(new Date(late.validTo).getUTCFullYear()).toBeGreaterThan(2100);
  });

  it('is taken by who trusts its authority, and by nobody else', async () => {
    expect(await called(leaf, authority.cert, 'kpackless-conversion.kpack.svc')).toBe('heard');
    expect(await called(leaf, authority.cert, 'other.kpack.svc')).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
    const stranger = makeAuthority('kpackless conversion', { now, days: 1 });
    expect(await called(leaf, stranger.cert, 'kpackless-conversion.kpack.svc')).toMatch(/SIGNATURE|UNABLE_TO/);
    // As while the authority changes: both are trusted.
    expect(await called(leaf, stranger.cert + authority.cert, 'kpackless-conversion.kpack.svc')).toBe('heard');
  });

  it('is right in the eyes of OpenSSL', (context) => {
    if (!hasOpenssl) return context.skip('openssl is not installed');
    const folder = mkdtempSync(join(tmpdir(), 'kpackless-cert-'));
    try {
      for (const [name, text] of Object.entries({ 'ca.pem': authority.cert, 'leaf.pem': leaf.cert }))
        writeFileSync(join(folder, name), text);
      const verify = ['verify', '-x509_strict', '-purpose', 'sslserver', '-verify_hostname', names[0] ?? ''];
      const said = execFileSync('openssl', [...verify, '-CAfile', 'ca.pem', 'leaf.pem'], {
        cwd: folder,
        encoding: 'utf8',
      });
      expect(said).toBe('leaf.pem: OK\n');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('an authority', () => {
  it('is one with its own key, for as long as it is asked', () => {
    expect(isAuthority(authority, { now, days: 365 })).toBe(true);
    expect(isAuthority(authority, { now, days: 4000 })).toBe(false);
    expect(isAuthority({ ...authority, key: makeAuthority('x', { now, days: 1 }).key }, { now, days: 0 })).toBe(false);
    expect(isAuthority(issueFor(authority, ['x'], { now, days: 9 }), { now, days: 1 })).toBe(false);
    expect(isAuthority({ cert: '', key: '' }, { now, days: 0 })).toBe(false);
    expect(isAuthority({ cert: authority.cert, key: 'no key' }, { now, days: 0 })).toBe(false);
  });
});
