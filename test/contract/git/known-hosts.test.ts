import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { namesHost, parseKnownHosts } from '../../../lib/git/known-hosts.ts';

const run = promisify(execFile);
const missing = existsSync('/usr/bin/ssh-keygen') ? undefined : '/usr/bin/ssh-keygen is not installed';
const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl';

const patterns = [
  'git.example.com',
  'Git.Example.com',
  '*.example.com',
  '*.example.com,!git.example.com',
  '!git.example.com,*',
  'g?t.example.com',
  '[git.example.com]:2222',
  '[*.example.com]:2222',
  '*',
  'example.com',
  'a,b,git.example.com',
  '10.0.0.1',
];
const hosts = [
  { host: 'git.example.com', port: 22 },
  { host: 'git.example.com', port: 2222 },
  { host: 'example.com', port: 22 },
  { host: '10.0.0.1', port: 22 },
];

describe.skipIf(missing !== undefined)(`known_hosts agrees with ssh-keygen (${missing ?? 'real ssh-keygen'})`, () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kpackless-known-hosts-'));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  const file = (): string => join(directory, 'known_hosts');
  const found = async ({ host, port }: (typeof hosts)[number]): Promise<boolean> => {
    const name = port === 22 ? host : `[${host}]:${port}`;
    const args = ['-F', name, '-f', file()];
    return run('ssh-keygen', args).then(
      ({ stdout }) => stdout.includes('found'),
      () => false,
    );
  };

  it.each(patterns)('on the pattern %s', async (pattern) => {
    await writeFile(file(), `${pattern} ${KEY}\n`);
    for (const host of hosts) {
      const ours = parseKnownHosts(await readFile(file(), 'utf8')).some((entry) => namesHost(entry, host));
      expect([pattern, host, ours]).toEqual([pattern, host, await found(host)]);
    }
  });

  it('on lines it has hashed itself', async () => {
    await writeFile(file(), `git.example.com ${KEY}\n[git.example.com]:2222 ${KEY}\n`);
    await run('ssh-keygen', ['-H', '-f', file()]);
    const entries = parseKnownHosts(await readFile(file(), 'utf8'));
    expect(entries.map(({ patterns: plain }) => plain)).toEqual([[], []]);
    for (const host of hosts) {
      expect([host, entries.some((entry) => namesHost(entry, host))]).toEqual([host, await found(host)]);
    }
  });
});
