/**
 * No secret leaves. Secrets are planted wherever a user or a tenant can put one, the real modules run, and everything they
 * leave behind is searched: conditions, messages, logs, records, labels, attestations, files of the image.
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { networkCause } from '../../lib/errors/network-cause.ts';
import { refLister } from '../../lib/git/list-refs.ts';
import { tokenConfig } from '../../lib/kube/kubeconfig.ts';
import { kubeTransport } from '../../lib/kube/transport.ts';
import { openRegistry } from '../../lib/oci/client.ts';
import { keychainFromSecrets } from '../../lib/oci/credentials.ts';
import { reading } from '../../lib/oci/keychain.ts';
import { parseReference } from '../../lib/oci/reference.ts';
import { jsonLog, sayError } from '../../lib/reconcile/log.ts';
import { failureText } from '../../lib/steps/step.ts';
import { type GitHttpServer, startGitHttpServer } from '../support/git-http-server.ts';
import { type GitRoot, gitRoot } from '../support/git-repository.ts';
import { openGitWay } from '../support/open-egress.ts';
import { type SourceWorld, sourceWorld } from '../support/source-world.ts';
import { type StateTables, stateTables } from '../support/state-table.ts';
import { type StepWorld, stepWorld } from '../support/step-world.ts';

/** What is planted; no other text of these tests holds it, plain or in base64. */
const planted = 'hunter2-planted-by-a-test';
const base64 = (text: string): string => Buffer.from(text).toString('base64');
/** A Basic login holds it in one of three alignments. */
const traces = [planted, ...[0, 1, 2].map((n) => base64(`${'x'.repeat(n)}${planted}`).slice(n === 0 ? 0 : 4, -4))];
const leaksIn = (text: string): readonly string[] => traces.filter((trace) => text.includes(trace));

const listening = async (answer: RequestListener): Promise<{ readonly server: Server; readonly host: string }> => {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, host: `127.0.0.1:${(server.address() as AddressInfo).port}` };
};

/** A hostile host: it repeats what it was sent, in every place an answer has. */
const echo: RequestListener = (request, response) => {
  const seen = `${request.url ?? ''} ${request.headers.authorization ?? ''}`.replaceAll(/[^\x20-\x7e]/g, '');
  response.writeHead(403, seen.slice(0, 200), { 'x-echo': seen, 'content-type': 'text/plain' }).end(seen);
};

let state: StateTables;
let root: GitRoot;
let git: GitHttpServer;
let hostile: { readonly server: Server; readonly host: string };
beforeAll(async () => {
  state = await stateTables();
  root = await gitRoot();
  await root.init('app');
  await root.commit('app', 'main');
  git = await startGitHttpServer({ root: root.root, login: { username: 'me', password: planted } });
  hostile = await listening(echo);
}, 60_000);
afterAll(async () => {
  hostile.server.closeAllConnections();
  hostile.server.close();
  await git[Symbol.asyncDispose]();
  await root[Symbol.asyncDispose]();
  await state[Symbol.asyncDispose]();
});

describe('a source with secrets in it', () => {
  let world: SourceWorld;
  beforeEach(async () => {
    world = sourceWorld(await state.empty(), {
      listRefs: refLister(openGitWay, { deadlineSeconds: 2, trustUnknownHosts: true }),
    });
    world.put('serviceaccounts', {
      metadata: { name: 'account', namespace: 'team' },
      secrets: [{ name: 'git' }, { name: 'blob' }],
    });
    world.put('secrets', {
      metadata: { name: 'git', namespace: 'team', annotations: { 'kpack.io/git': `http://${hostile.host}` } },
      type: 'kubernetes.io/basic-auth',
      data: { username: base64('me'), password: base64(planted) },
    });
    world.put('secrets', {
      metadata: { name: 'blob', namespace: 'team', annotations: { 'kpack.io/blob': '127.0.0.1' } },
      data: { bearer: base64(planted) },
    });
  });

  /** Everything a pass leaves but the spec's own URL, which the resolved source repeats as in kpack. */
  const left = (): string => {
    const { source: _, ...status } = world.statusOf('app') as { readonly source?: unknown };
    return [JSON.stringify(status ?? ''), ...world.logged, JSON.stringify(world.sent)].join('\n');
  };
  const follow = { annotations: { 'image.kpack.io/pollInterval': '60s' }, serviceAccount: 'account' };

  it.each([
    [
      'a git URL with a login, on a host that is not there',
      { git: { url: `http://me:${planted}@127.0.0.1:1/a`, revision: 'main' } },
    ],
    [
      'a git URL with a login, on a hostile host',
      (host: string) => ({ git: { url: `http://me:${planted}@${host}/a`, revision: 'main' } }),
    ],
    [
      'a git URL with a token in its query',
      (host: string) => ({ git: { url: `http://${host}/a?token=${planted}`, revision: 'main' } }),
    ],
    ['a git Secret, on a hostile host', (host: string) => ({ git: { url: `http://${host}/a`, revision: 'main' } })],
    ['a password with a slash', { git: { url: `https://me:${planted}/x@git.example/a`, revision: 'main' } }],
    ['a password with a line break', { git: { url: `https://me:${planted}%0A@git.example/a`, revision: 'main' } }],
    ['a login and a broken escape', { git: { url: `https://me:${planted}%zz@git.example/a`, revision: 'main' } }],
    ['a token in a scheme nobody speaks', { git: { url: `gopher://me:${planted}@git.example/a`, revision: 'main' } }],
    [
      'a signed blob on a hostile host',
      (host: string) => ({ blob: { url: `http://${host}/a.zip?X-Amz-Signature=${planted}` } }),
    ],
    [
      'a blob with a login on a hostile host',
      (host: string) => ({ blob: { url: `http://me:${planted}@${host}/a.zip` } }),
    ],
    [
      'a blob opened by a Secret on a hostile host',
      (host: string) => ({ blob: { url: `http://${host}/a.zip`, auth: 'secret' as const } }),
    ],
    ['a blob URL that is none', { blob: { url: `https://me:${planted}/x@blob.example/a.zip?sig=${planted}` } }],
  ])('says nothing of them: %s', async (_, source) => {
    world.apply('app', typeof source === 'function' ? source(hostile.host) : source, follow);
    await world.resolve('app');
    const status = JSON.stringify(world.statusOf('app'));
    // It really failed, or is not followed, and said why.
    expect(status).toMatch(/"status":"(False|Unknown)"/);
    expect(status).toContain('"message"');
    expect(leaksIn(left())).toEqual([]);
  });

  it.each([
    ['password', { username: base64('me'), password: base64(`${planted}\n`) }],
    ['username', { username: base64(`${planted}\n`), password: base64('x') }],
  ])('whose Secret ends a %s with a line break is told so, and asks nobody', async (key, data) => {
    world.put('secrets', {
      metadata: { name: 'git', namespace: 'team', annotations: { 'kpack.io/git': `http://${hostile.host}` } },
      type: 'kubernetes.io/basic-auth',
      data,
    });
    world.apply('app', { git: { url: `http://${hostile.host}/a`, revision: 'main' } }, { serviceAccount: 'account' });
    await world.resolve('app');
    expect(world.statusOf('app')).toMatchObject({
      conditions: [
        {
          reason: 'SecretInvalid',
          message: expect.stringContaining(`${key} of Secret git ends with a line break`) as string,
        },
        {},
      ],
    });
    expect(leaksIn(left())).toEqual([]);
  });
});

describe('a transport error that quotes a header', () => {
  const quoting = [
    new TypeError(`Headers.append: "Bearer ${planted}" is an invalid header value.`),
    new TypeError('fetch failed', {
      cause: Object.assign(new Error(`bad header Bearer ${planted}`), { code: 'UND_ERR_INVALID_ARG' }),
    }),
    Object.assign(new Error(`Invalid character in header content ["Bearer ${planted}"]`), { code: 'ERR_INVALID_CHAR' }),
    new Error(`Parse Error: ${planted}`, { cause: new Error(`authorization: ${planted}`) }),
  ];

  it.each(quoting)('is told by its code by registries: %s', async (quote) => {
    const registry = openRegistry({
      keychain: () => Promise.resolve({ kind: 'registry-token', token: planted }),
      transport: { fetch: () => Promise.reject(quote) },
      retry: { attempts: 1 },
    });
    const failure = await registry
      .getManifest(parseReference('registry.example/app:1'))
      .catch((found: unknown) => found);
    expect(leaksIn(`${(failure as Error).message} ${sayError(failure)}`)).toEqual([]);
    expect((failure as Error).message).toContain('GET https://registry.example/v2/app/manifests/1: ');
  });

  it.each(quoting)('is told by its code in logs and steps: %s', (quote) => {
    let line = '';
    jsonLog((text) => (line += text))('error', 'pass threw', { why: quote.stack, more: sayError(quote) });
    expect(leaksIn(`${networkCause(quote)} ${sayError(quote)}`)).toEqual([]);
    expect(line).not.toContain(`Bearer ${planted}`);
    expect(failureText(quote)).not.toContain(`Bearer ${planted}`);
  });

  it('is told by its code by API servers', async () => {
    const transport = kubeTransport(tokenConfig('https://127.0.0.1:1', '', () => Promise.resolve(`${planted}\n`)));
    const failure = await transport.send({ method: 'GET', path: '/api' }).catch((error: unknown) => error);
    transport.close();
    expect((failure as Error).message).toMatch(
      /cannot reach the API server at 127\.0\.0\.1:1: .*\((ERR_INVALID_CHAR|ECONNREFUSED)\)/,
    );
    expect(leaksIn(`${(failure as Error).message} ${sayError(failure)}`)).toEqual([]);
  });
});

describe('a Secret for registries', () => {
  const metadata = { name: 'creds', namespace: 'team', annotations: { 'kpack.io/docker': 'registry.example' } };
  const config = (entry: object): Record<string, string> => ({
    '.dockerconfigjson': base64(JSON.stringify({ auths: { [`https://registry.example`]: entry } })),
  });

  it.each([
    ['basic-auth', { username: base64('me'), password: base64(`${planted}\n`) }, 'password of Secret creds ends with'],
    [
      'dockerconfigjson',
      config({ auth: base64(`me:${planted}\n`) }),
      'password of https://registry.example/ ends with',
    ],
    [
      'dockerconfigjson',
      config({ username: 'me', password: `${planted}\n` }),
      'password of https://registry.example/ ends',
    ],
    [
      'dockerconfigjson',
      config({ registrytoken: `${planted}\r\nX-Other: y` }),
      'registry token of https://registry.example/ holds',
    ],
    [
      'dockerconfigjson',
      config({ identitytoken: `${planted}\n` }),
      'identity token of https://registry.example/ ends with',
    ],
    ['dockerconfigjson', config({ auth: `!${planted}` }), 'unable to decode auth field of https://registry.example'],
  ])(
    'of type %s with a line break is refused when its registry is asked, and harms no other',
    async (type, data, why) => {
      const keychain = keychainFromSecrets({ accountSecrets: [{ metadata, type: `kubernetes.io/${type}`, data }] });
      const failure = await keychain(parseReference('registry.example/app'), reading).catch(String);
      expect(failure).toContain(`Secret team/creds of type kubernetes.io/${type}: `);
      expect(failure).toContain(why);
      expect(failure).not.toContain(planted);
      expect(await keychain(parseReference('other.example/app'), reading)).toBeUndefined();
    },
  );
});

describe('what ends in an image', () => {
  let world: StepWorld;
  beforeEach(async () => {
    world = await stepWorld();
  });
  afterEach(() => world[Symbol.asyncDispose]());

  const filesBelow = async (folder: string): Promise<string> => {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const texts = await Promise.all(
      entries.filter((entry) => entry.isFile()).map((entry) => readFile(join(entry.parentPath, entry.name), 'latin1')),
    );
    return texts.join('\n');
  };
  const changes = (source: object): string =>
    JSON.stringify([{ reason: 'CONFIG', old: null, new: { resources: {}, source } }]);

  it('of a git source with a login holds no password, nor does the log, though it is needed to fetch', async () => {
    const url = `http://me:${planted}@${git.host}/app.git`;
    await world.prepare({
      GIT_URL: url,
      GIT_REVISION: 'main',
      BUILD_CHANGES: changes({ git: { url, revision: 'main' } }),
    });
    expect(git.requests.at(-1)?.authorization).toBe(`Basic ${base64(`me:${planted}`)}`);
    expect(await world.metadata()).toContain(`repository = "http://${git.host}/app.git"`);
    expect(world.log.join('\n')).toContain(`http://${git.host}/app.git`);
    const left = [await world.metadata(), world.log.join('\n'), await filesBelow(world.paths.workspace)].join('\n');
    expect(leaksIn(left)).toEqual([]);
  });

  it('of a blob with a signed query holds no signature, nor does the log', async () => {
    const blob = await listening((_, response) => response.end(Buffer.alloc(1024)));
    const url = `http://me:${planted}@${blob.host}/app.tar?X-Amz-Signature=${planted}`;
    await world.prepare({ BLOB_URL: url, BUILD_CHANGES: changes({ blob: { url } }) });
    blob.server.close();
    expect(await world.metadata()).toContain(`url = "http://${blob.host}/app.tar?X-Amz-Signature=REDACTED"`);
    expect(leaksIn(`${await world.metadata()}\n${world.log.join('\n')}`)).toEqual([]);
  });

  it.each([
    ['git with a login', (host: string) => ({ GIT_URL: `http://me:${planted}@${host}/a`, GIT_REVISION: 'main' })],
    [
      'git with a token in its query',
      (host: string) => ({ GIT_URL: `http://${host}/a?token=${planted}`, GIT_REVISION: 'main' }),
    ],
    ['a blob with a login', (host: string) => ({ BLOB_URL: `http://me:${planted}@${host}/a.zip?sig=${planted}` })],
    ['a blob URL that is none', () => ({ BLOB_URL: `ftp://me:${planted}@host.example/a.zip` })],
  ])('fails on a hostile host without repeating what it echoes: %s', async (_, env) => {
    const failure: unknown = await world.prepare(env(hostile.host)).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Error);
    expect(leaksIn(`${failureText(failure)}\n${world.log.join('\n')}`)).toEqual([]);
  });

  it.each([
    [
      '-basic-git',
      'http',
      { username: 'me', password: `${planted}\n` },
      'password of Secret creds ends with a line break',
    ],
    [
      '-basic-docker',
      '',
      { username: `${planted}\n`, password: 'x' },
      'username of Secret creds ends with a line break',
    ],
    ['-ssh-git', 'ssh', { known_hosts: planted }, 'Secret creds has no ssh-privatekey'],
  ])('is not begun with a Secret that cannot be used: %s', async (flag, scheme, data, why) => {
    await world.secret('creds', data);
    const run = world.prepare({ GIT_URL: `${scheme || 'http'}://${git.host}/app.git`, GIT_REVISION: 'main' }, [
      `${flag}=creds=${scheme === '' ? world.registry.host : git.host}`,
    ]);
    const failure = (await run.catch((error: unknown) => error)) as Error;
    expect(failure.message).toContain(why);
    expect(leaksIn(`${failureText(failure)}\n${world.log.join('\n')}`)).toEqual([]);
  });

  it('of a blob is not fetched with a header that smuggles in another', async () => {
    await mkdir(join(world.paths.secretsDir, 'creds'), { recursive: true });
    await writeFile(join(world.paths.secretsDir, 'creds', 'authorization'), `Bearer ${planted}\r\nX-Other: y`);
    const run = world.prepare({ BLOB_URL: `http://${hostile.host}/a`, BLOB_AUTH: 'true' }, ['-blob=creds=127.0.0.1']);
    const failure = (await run.catch((error: unknown) => error)) as Error;
    expect(failure.message).toContain('authorization of Secret creds holds a line break');
    expect(leaksIn(failureText(failure))).toEqual([]);
  });
});
