import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { guardedFetch } from '../../../lib/egress/guarded-fetch.ts';
import type { BasicCredential } from '../../../lib/git/credentials.ts';
import { refLister } from '../../../lib/git/list-refs.ts';
import { parseGitUrl } from '../../../lib/git/url.ts';
import { type GitHttpServer, startGitHttpServer } from '../../support/git-http-server.ts';
import { type GitRoot, gitRoot } from '../../support/git-repository.ts';
import { nginxMissing, startNginx, unusedPort } from '../../support/nginx.ts';
import { openGitWay } from '../../support/open-egress.ts';
import { selfSigned } from '../../support/self-signed.ts';
import { stepWorld } from '../../support/step-world.ts';

describe.skipIf(nginxMissing !== undefined)(`a git host behind nginx (${nginxMissing ?? 'real nginx'})`, () => {
  let root: GitRoot;
  let host: GitHttpServer;
  let nginx: AsyncDisposable;
  let tls: { readonly key: string; readonly cert: string };
  let plain: string;
  let secure: string;
  let commit: string;
  const given = new Map(['NODE_TLS_REJECT_UNAUTHORIZED', 'GIT_SSL_CAINFO'].map((name) => [name, process.env[name]]));

  beforeAll(async () => {
    root = await gitRoot();
    await root.init('app');
    commit = await root.commit('app', 'main');
    host = await startGitHttpServer({ root: root.root, login: { username: 'ada', password: 'p:w' } });
    tls = await selfSigned();
    const [plainPort, securePort] = [await unusedPort(), await unusedPort()];
    [plain, secure] = [`127.0.0.1:${plainPort}`, `127.0.0.1:${securePort}`];
    const servers = `
      server { listen ${plain}; return 301 https://${secure}$request_uri; }
      server {
        listen ${secure} ssl; ssl_certificate cert.pem; ssl_certificate_key key.pem;
        location /old/ { rewrite ^/old/(.*)$ /$1 permanent; }
        location /bare/ { return 301 https://${secure}/app.git/info/refs?$args; }
        location /members/ { return 302 https://${secure}/login?back=$request_uri; }
        location /login { default_type text/html; return 200 '<title>Log in</title>'; }
        location /busy/ { return 503; }
        location / { proxy_pass ${host.url}; proxy_set_header Authorization $http_authorization; }
      }`;
    nginx = await startNginx(servers, securePort, { 'cert.pem': tls.cert, 'key.pem': tls.key });
    await writeFile(join(root.root, 'ca.pem'), tls.cert);
    // Nobody vouches for the certificate; what a pod is given is read when its programs start.
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    process.env['GIT_SSL_CAINFO'] = join(root.root, 'ca.pem');
  });
  afterAll(async () => {
    for (const [name, value] of given)
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    await nginx[Symbol.asyncDispose]();
    await host[Symbol.asyncDispose]();
    await root[Symbol.asyncDispose]();
  });

  const login: BasicCredential = { kind: 'basic', secretName: 'login', username: 'ada', password: 'p:w' };
  const inResolver = (url: string): Promise<unknown> => {
    const fetch = guardedFetch(() => undefined, { ca: tls.cert, plainHttp: 'anywhere' });
    const lister = refLister({ ...openGitWay, fetch }, { deadlineSeconds: 30, trustUnknownHosts: true });
    return lister({ url: parseGitUrl(url), credential: login, prefixes: ['refs/heads/'] });
  };
  const inPod = async (url: string, revision: string): Promise<string> => {
    await using world = await stepWorld();
    await world.secret('login', { username: 'ada', password: 'p:w' });
    const flags = [`-basic-git=login=${new URL(url).host}`];
    await world.prepare({ GIT_URL: url, GIT_REVISION: revision }, flags);
    return await world.metadata();
  };

  it.each([
    ['https itself', () => `https://${secure}/app.git`],
    ['http that leads to https', () => `http://${plain}/app.git`],
    ['a private repository that was renamed', () => `https://${secure}/old/app.git`],
    ['a URL that gets its .git', () => `https://${secure}/bare`],
    ['both one after the other', () => `http://${plain}/old/app.git`],
  ])('is listed and fetched with the login: %s', async (_, url) => {
    expect(await inResolver(url())).toEqual([{ name: 'refs/heads/main', hash: commit }]);
    for (const revision of ['main', commit]) expect(await inPod(url(), revision)).toContain(`commit = "${commit}"`);
  });

  it.each([
    [
      'a page to log in on',
      'members/app.git',
      'unauthorized',
      /to log in \(HTTP 302\), as it does not take the credentials/,
    ],
    ['an outage', 'busy/app.git', 'host-unreachable', /is failing \(HTTP 503\)/],
    [
      'no such repository',
      'none.git',
      'not-found',
      /does not exist or may not be seen with the credentials of Secret login/,
    ],
  ])('is understood alike when it answers with %s', async (_, path, code, why) => {
    const url = `https://${secure}/${path}`;
    await expect(inResolver(url)).rejects.toMatchObject({ code, message: expect.stringMatching(why) as string });
    for (const revision of ['main', commit]) await expect(inPod(url, revision)).rejects.toThrow(why);
  });
});
