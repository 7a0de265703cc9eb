import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { keepLarge } from '../../../../infra/local/git-lfs.ts';
import { commitFiles } from '../../../../infra/local/git-repository.ts';
import { cgiHead, gitServer } from '../../../../infra/local/git-server.ts';

const listen = (server: Server): Promise<number> =>
  new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });

const git = async (args: readonly string[], cwd?: string): Promise<string> => {
  const env = { ...process.env, GIT_TERMINAL_PROMPT: '0', GIT_CONFIG_GLOBAL: '/dev/null' };
  return (await promisify(execFile)('git', args, { cwd, env, timeout: 20_000 })).stdout;
};

describe('the git server', () => {
  const requests: string[] = [];
  const at = new Date('2026-01-02T03:04:05Z');
  let dir: string;
  let open: Server;
  let guarded: Server;
  let url: string;
  let guardedPort: number;
  let first: string;
  let second: string;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'kpackless-git-'));
    const commit = (files: Record<string, string>) =>
      commitFiles({ gitRoot: dir, repository: 'team/app', files, message: 'grüße', at });
    first = await commit({ 'index.html': 'one', 'src/a.txt': 'a' });
    second = await commit({ 'index.html': 'two' });
    open = gitServer({ root: dir, quiet: true, onRequest: (line) => requests.push(line) });
    guarded = gitServer({ root: dir, quiet: true, credentials: 'ann:s3cret' });
    url = `http://127.0.0.1:${await listen(open)}/team/app.git`;
    guardedPort = await listen(guarded);
  });
  afterAll(() => {
    open.close();
    guarded.close();
    rmSync(dir, { recursive: true, force: true });
  });

  it('lists branches', async () => {
    expect(await git(['ls-remote', url])).toBe(`${second}\tHEAD\n${second}\trefs/heads/main\n`);
    expect(requests).toContain('GET /team/app.git/info/refs?service=git-upload-pack');
  });

  it('gives out any commit by its id, one deep, as the build pod asks for it', async () => {
    const copy = join(dir, 'copy');
    await git(['init', '-q', copy]);
    await git(['fetch', '-q', '--depth', '1', url, first], copy);
    expect(await git(['ls-tree', '-r', '--name-only', 'FETCH_HEAD'], copy)).toBe('index.html\nsrc/a.txt\n');
  });

  it('takes a push', async () => {
    const work = join(dir, 'work');
    await git(['clone', '-q', url, work]);
    writeFileSync(join(work, 'new.txt'), 'new');
    await git(['add', '.'], work);
    await git(['-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-q', '-m', 'third'], work);
    await git(['push', '-q', 'origin', 'HEAD:refs/heads/feature'], work);
    expect(await git(['ls-remote', url, 'refs/heads/feature'])).toContain(
      (await git(['rev-parse', 'HEAD'], work)).trim(),
    );
  });

  it('hands out what LFS keeps', async () => {
    const pointer = keepLarge(dir, 'team/app', 'really large');
    const oid = /sha256:(?<oid>\w+)/.exec(pointer)?.groups?.['oid'] ?? '';
    const none = '0'.repeat(64);
    const objects = [oid, none].map((id) => ({ oid: id, size: 12 }));
    const batch = await fetch(`${url}/info/lfs/objects/batch`, {
      method: 'POST',
      body: JSON.stringify({ operation: 'download', objects }),
    });
    const href = `${url}/lfs/${oid}`;
    expect(await batch.json()).toEqual({
      transfer: 'basic',
      objects: [
        { oid, size: 12, actions: { download: { href } } },
        { oid: none, size: 12, error: { code: 404, message: 'there is no such object' } },
      ],
    });
    expect(await (await fetch(href)).text()).toBe('really large');
    expect((await fetch(`${url}/lfs/${none}`)).status).toBe(404);
    expect((await fetch(`${url}/info/lfs/objects/batch`, { method: 'POST', body: '{' })).status).toBe(400);
  });

  it('commits a submodule as the commit it is at', async () => {
    const files = { '.gitmodules': '[submodule "part"]\n\tpath = part\n\turl = ../app.git\n' };
    await commitFiles({ gitRoot: dir, repository: 'team/whole', files, submodules: { part: first }, message: '-', at });
    const copy = join(dir, 'whole');
    await git(['clone', '-q', '--recurse-submodules', url.replace('app.git', 'whole.git'), copy]);
    expect(readFileSync(join(copy, 'part/index.html'), 'utf8')).toBe('one');
  });

  it('answers 404 for a repository that is not there and for a path that leads out of its folder', async () => {
    expect((await fetch(url.replace('app.git', 'nope.git/info/refs'))).status).toBe(404);
    expect((await fetch(url.replace('team/app.git', '..%2f..%2fetc%2fpasswd'))).status).toBe(404);
    expect((await fetch(url.replace('team/app.git', '%e0'))).status).toBe(404);
  });

  it('lets nobody in without the password when it has one', async () => {
    const at = (user: string) => `http://${user}127.0.0.1:${guardedPort}/team/app.git`;
    await expect(git(['ls-remote', at('')])).rejects.toThrow(/could not read Username|Authentication failed/);
    await expect(git(['ls-remote', at('ann:wrong@')])).rejects.toThrow('Authentication failed');
    expect(await git(['ls-remote', at('ann:s3cret@'), 'HEAD'])).toBe(`${second}\tHEAD\n`);
  });

  it('understands the head of a CGI answer with and without a status', () => {
    expect(cgiHead('Status: 403 Forbidden\r\nContent-Type: text/plain')).toEqual({
      status: 403,
      headers: { 'content-type': 'text/plain' },
    });
    expect(cgiHead('Expires: Fri, 01 Jan 1980 00:00:00 GMT')).toMatchObject({ status: 200 });
  });
});
