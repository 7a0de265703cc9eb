/** The CNCF distribution registry on loopback, in the modes users run it in: the node's own binary when it is compiled, else Debian's. */

import { createPrivateKey, type KeyObject, randomUUID, sign, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { binaryPath } from '../../infra/local/cluster/binaries.ts';
import { whichProgram } from '../../infra/local/cluster/packages.ts';
import { PROGRAMS } from '../../infra/local/cluster/programs.ts';
import { defaultCacheDir } from '../../infra/local/cluster/state.ts';
import { runOracle } from './oracle-process.ts';
import { selfSigned } from './self-signed.ts';

export interface RealRegistry {
  readonly host: string;
  readonly close: () => Promise<void>;
}

export type RealMode = 'open' | 'basic' | 'token';

/** User and password of the basic and token modes. */
export const realUser = { username: 'alice', password: 'pass:word' } as const;
/** The same as a htpasswd file, which takes bcrypt alone. */
export const realHtpasswd = 'alice:$2b$05$abcdefghijklmnopqrstuuDIEddBSuRWBBEY6g5zv60IAP5bSSfki\n';

/** Programs that serve the registry on this machine, newest first. */
export const registryPrograms = (): readonly string[] => {
  const compiled = PROGRAMS.filter(({ name }) => name === 'registry').map((program) =>
    binaryPath(defaultCacheDir(), program),
  );
  const packaged = whichProgram('docker-registry');
  return [...compiled.filter((path) => existsSync(path)), ...(packaged === undefined ? [] : [packaged])];
};

const base64url = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token as the distribution specification has it (JWT with an `access` claim), vouched for by the certificate inside. */
const jwt = (key: KeyObject, certificate: string, access: readonly object[]): string => {
  const header = { typ: 'JWT', alg: 'ES256', x5c: [new X509Certificate(certificate).raw.toString('base64')] };
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: 'test issuer',
    sub: realUser.username,
    aud: 'test registry',
    exp: now + 300,
    nbf: now - 10,
    iat: now,
    jti: randomUUID(),
    access,
  };
  const content = `${base64url(header)}.${base64url(claims)}`;
  return `${content}.${sign('sha256', Buffer.from(content), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
};

/** A token service that grants its one user whatever he asks for and others nothing. */
const startTokenService = async (
  key: string,
  certificate: string,
): Promise<{ readonly url: string; readonly close: () => Promise<void> }> => {
  const basic = `Basic ${Buffer.from(`${realUser.username}:${realUser.password}`).toString('base64')}`;
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const access = url.searchParams.getAll('scope').map((scope) => {
      const [type = '', name = '', actions = ''] = scope.split(':');
      return { type, name, actions: actions.split(',') };
    });
    const token = jwt(createPrivateKey(key), certificate, request.headers.authorization === basic ? access : []);
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ token, expires_in: 300 }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/token`,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
};

/** Starts `program` with an empty store that forgets everything at the end. */
export const startRealRegistry = async (program: string, mode: RealMode): Promise<RealRegistry> => {
  const folder = await mkdtemp(join(tmpdir(), 'kpackless-registry-'));
  const { key, cert } = await selfSigned();
  writeFileSync(join(folder, 'cert.pem'), cert);
  writeFileSync(join(folder, 'htpasswd'), realHtpasswd);
  const tokens = mode === 'token' ? await startTokenService(key, cert) : undefined;
  const auth = {
    open: {},
    basic: { auth: { htpasswd: { realm: 'test', path: join(folder, 'htpasswd') } } },
    token: {
      auth: {
        token: {
          realm: tokens?.url,
          service: 'test registry',
          issuer: 'test issuer',
          rootcertbundle: join(folder, 'cert.pem'),
        },
      },
    },
  }[mode];
  const running = await runOracle(program, (port) => {
    const config = join(folder, 'config.json');
    const storage = { filesystem: { rootdirectory: join(folder, 'data') }, delete: { enabled: true } };
    const http = { addr: `127.0.0.1:${port}`, secret: 'test' };
    writeFileSync(config, JSON.stringify({ version: 0.1, log: { level: 'error' }, storage, http, ...auth }));
    return ['serve', config];
  });
  return {
    host: new URL(running.endpoint).host,
    close: async () => {
      await running.close();
      await tokens?.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
};
