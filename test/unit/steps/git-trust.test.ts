import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { git } from '../../../lib/steps/prepare/git-command.ts';
import { gitTrust } from '../../../lib/steps/prepare/git-trust.ts';
import { selfSigned } from '../../support/self-signed.ts';

let folder = '';
let url = '';
const server = { close: (): void => undefined };
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kpackless-git-trust-'));
  const { key, cert } = await selfSigned();
  await writeFile(join(folder, 'ca.pem'), cert);
  const https = createServer({ key, cert }, (_request, response) => response.writeHead(404).end()).listen(
    0,
    '127.0.0.1',
  );
  await once(https, 'listening');
  url = `https://127.0.0.1:${(https.address() as AddressInfo).port}/none.git`;
  server.close = () => {
    https.close();
    https.closeAllConnections();
  };
});
afterEach(() => vi.unstubAllEnvs());
afterAll(async () => {
  server.close();
  await rm(folder, { recursive: true, force: true });
});

const said = (): Promise<string> =>
  git(['ls-remote', url], { cwd: folder, settings: [], env: {}, signal: AbortSignal.timeout(10_000) }).then(
    () => 'listed',
    (error: Error) => error.message,
  );

describe('git in a pod', () => {
  it('trusts what SSL_CERT_FILE names, as every other program does', async () => {
    for (const name of ['GIT_SSL_CAINFO', 'GIT_SSL_CAPATH', 'SSL_CERT_FILE', 'SSL_CERT_DIR'])
      vi.stubEnv(name, undefined);
    expect(await said()).toMatch(/certificate/i);
    vi.stubEnv('SSL_CERT_FILE', join(folder, 'ca.pem'));
    expect(await said()).toMatch(/not found/);
  });

  it('goes by its own variables first, and by nothing that is not there', () => {
    const here = join(folder, 'ca.pem');
    expect(gitTrust({ SSL_CERT_FILE: here, SSL_CERT_DIR: `/nowhere:${folder}` })).toEqual({
      GIT_SSL_CAINFO: here,
      GIT_SSL_CAPATH: folder,
    });
    expect(gitTrust({ GIT_SSL_CAINFO: here, SSL_CERT_FILE: '/etc/hostname' })).toEqual({ GIT_SSL_CAINFO: here });
    expect(gitTrust({ SSL_CERT_FILE: join(folder, 'none'), SSL_CERT_DIR: '/nowhere' })).toEqual({});
    expect(gitTrust({})).toEqual({});
  });
});
