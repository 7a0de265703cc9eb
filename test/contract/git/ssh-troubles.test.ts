import type { AddressInfo, Server } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GitError } from '../../../lib/git/errors.ts';
import { refLister } from '../../../lib/git/list-refs.ts';
import { parseGitUrl } from '../../../lib/git/url.ts';
import { fetchGit } from '../../../lib/steps/prepare/git-source.ts';
import { openGitWay } from '../../support/open-egress.ts';
import { type SshServer, sshdMissing, startSshServer } from '../../support/ssh-server.ts';
import { stepWorld } from '../../support/step-world.ts';

/** The one connection that the server takes: until the look whether it runs has ended, it refuses this one too. */
const onlyConnection = async ({ host, port }: SshServer): Promise<Socket> => {
  for (;;) {
    const socket = connect(port, host);
    const greeting = await new Promise<string>((resolve) => socket.once('data', (chunk) => resolve(chunk.toString())));
    if (greeting.startsWith('SSH-')) return socket;
    socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};

describe.skipIf(sshdMissing !== undefined)(`trouble of an ssh host (${sshdMissing ?? 'real sshd'})`, () => {
  let full: SshServer;
  let held: Socket;
  let old: SshServer;
  const servers: Server[] = [];

  beforeAll(async () => {
    full = await startSshServer({ acceptsGitProtocol: true, lines: ['MaxStartups 1', 'LoginGraceTime 120'] });
    held = await onlyConnection(full);
    old = await startSshServer({
      acceptsGitProtocol: true,
      lines: ['KexAlgorithms diffie-hellman-group-exchange-sha256'],
    });
  }, 120_000);
  afterAll(async () => {
    held.destroy();
    await full[Symbol.asyncDispose]();
    await old[Symbol.asyncDispose]();
    for (const server of servers) server.close();
  });

  /** A host that says so much and hangs up. */
  const saying = async (text: string): Promise<string> => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.end(text);
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  const inResolver = async (authority: string): Promise<GitError> => {
    const lister = refLister(openGitWay, { deadlineSeconds: 10, trustUnknownHosts: true });
    const credential = { kind: 'ssh', secretName: 'key', username: 'git', privateKey: old.keys.ed25519 } as const;
    const url = parseGitUrl(`ssh://git@${authority}/app.git`);
    const failure: unknown = await lister({ url, credential, prefixes: [] }).catch((error: unknown) => error);
    if (failure instanceof GitError) return failure;
    throw new Error(`no GitError but ${String(failure)}`);
  };
  const inPod = async (authority: string): Promise<string> => {
    await using world = await stepWorld();
    await world.secret('key', { 'ssh-privatekey': old.keys.ed25519 });
    const secrets = { basic: [], ssh: [`key=${authority}`] };
    const source = { url: `ssh://git@${authority}/app.git`, revision: 'main', submodules: false, secrets };
    const place = { ...world.paths, ...world.step([], {}), scratch: world.root };
    return await fetchGit({ ...source, trustUnknownHosts: true }, place).then(
      () => 'yes',
      (error: unknown) => (error as Error).message,
    );
  };

  it('that has too many connections (MaxStartups) passes: it is asked again soon', async () => {
    const authority = `${full.host}:${full.port}`;
    const failure = await inResolver(authority);
    expect(['throttled', 'host-unreachable']).toContain(failure.code);
    expect(failure).toMatchObject({ pace: 'soon' });
    expect(failure.message).toMatch(/takes no ssh connections for now|closes the connection before its ssh greeting/);
    expect(await inPod(authority)).toMatch(
      /^unable to fetch references for repository: .*; have it built again once its host is well/,
    );
  });

  it.each([
    ['closes before its greeting', '', 'host-unreachable', 'soon', /closes the connection before its ssh greeting/],
    [
      'says that it is down',
      'Service temporarily unavailable\r\n',
      'host-unreachable',
      'soon',
      /takes no ssh connections/,
    ],
    [
      'breaks off behind its greeting',
      'SSH-2.0-OpenSSH_9.2\r\n',
      'host-unreachable',
      'soon',
      /broke off the ssh connection/,
    ],
    [
      'is a web server',
      'HTTP/1.1 400 Bad Request\r\n\r\n',
      'protocol',
      'slow',
      /is no ssh server; check host and port/,
    ],
    ['is a mail server', '220 mail.example ESMTP\r\n', 'protocol', 'slow', /is no ssh server; check host and port/],
  ])('that %s is told for what it is', async (_, text, code, pace, why) => {
    const failure = await inResolver(await saying(text));
    expect(failure).toMatchObject({ code, pace });
    expect(failure.message).toMatch(why);
  });

  it('with which nothing is in common is told which part', async () => {
    const failure = await inResolver(`${old.host}:${old.port}`);
    expect(failure).toMatchObject({ code: 'protocol', pace: 'slow' });
    expect(failure.message).toMatch(/offers no key exchange algorithm that is taken here: its ssh server is too old/);
  });
});
