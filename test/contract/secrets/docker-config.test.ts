import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whichProgram } from '../../../infra/local/cluster/packages.ts';
import { DockerConfigError, parseDockerConfigJson } from '../../../lib/oci/docker-config.ts';

const run = promisify(execFile);
const missing = whichProgram('go') === undefined ? 'go is not installed' : undefined;

/** What is read here, in the oracle's words. */
const ours = (text: string): string => {
  try {
    const login = parseDockerConfigJson(text).find(({ key }) => key === 'reg.io')?.login;
    if (login === undefined) return 'none';
    switch (login.kind) {
      case 'unusable':
        return 'fault';
      case 'basic':
        return `basic ${login.username}:${login.password}`;
      default:
        return `${login.kind} ${login.token}`;
    }
  } catch (error) {
    if (error instanceof DockerConfigError) return 'fault';
    throw error;
  }
};

describe.skipIf(missing !== undefined)(
  `a docker config agrees with Go (${missing ?? "Go's own encoding/json"})`,
  () => {
    let folder: string;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'kpackless-docker-config-'));
      const source = join(import.meta.dirname, '../../support/oracle-docker-config.go');
      const env = { ...process.env, GO111MODULE: 'off', GOFLAGS: '', CGO_ENABLED: '0' };
      await run('go', ['build', '-o', join(folder, 'oracle'), source], { env, timeout: 110_000 });
    }, 120_000);
    afterAll(() => rm(folder, { recursive: true, force: true }));

    const byGo = (texts: readonly string[]): readonly string[] => {
      const input = texts.map((text) => `${JSON.stringify(text)}\n`).join('');
      const { stdout } = spawnSync(join(folder, 'oracle'), { input, encoding: 'utf8', maxBuffer: 64 << 20 });
      return stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as string);
    };

    const base64 = (text: string): string => Buffer.from(text).toString('base64');
    const name = fc.constantFrom(
      'username',
      'Username',
      'PASSWORD',
      'password',
      'auth',
      'Auth',
      'identitytoken',
      'registryToken',
      'email',
      '\u017Fername',
      'u\u017Fername',
    );
    const auth = fc
      .constantFrom('me:p', 'me:', ':p', ':', 'me', 'me:p\u0000\u0000', 'a:b:c', 'ü:é', 'mm:ppp')
      .chain((text) =>
        fc.constantFrom(
          base64(text),
          base64(text).replaceAll('=', ''),
          `${base64(text)}\n`,
          ` ${base64(text)}`,
          `${base64(text)}=`,
          base64(text).replace(/(.{3})/u, '$1\r\n'),
          '%%%',
          'bWU6-_8=',
        ),
      );
    const value = fc.oneof(
      fc.constantFrom('"a"', '"b c"', '""', 'null', '5', 'true', '[]', '{}', '"\\u0061\\n"'.replace('\\n', '')),
      auth.map((text) => JSON.stringify(text)),
    );
    const entry = fc.oneof(
      {
        weight: 8,
        arbitrary: fc
          .array(fc.tuple(name, value), { maxLength: 5 })
          .map((all) => `{${all.map(([key, text]) => `${JSON.stringify(key)}:${text}`).join(',')}}`),
      },
      fc.constantFrom('null', '5', '[]', '"x"', '{}'),
    );
    const auths = fc.oneof(
      {
        weight: 8,
        arbitrary: fc
          .array(fc.tuple(fc.constantFrom('reg.io', 'reg.io', 'b.io', 'REG.IO'), entry), { maxLength: 3 })
          .map((all) => `{${all.map(([key, text]) => `"${key}":${text}`).join(',')}}`),
      },
      fc.constantFrom('null', '[]', '5', '{}'),
    );
    const config = fc.oneof(
      {
        weight: 8,
        arbitrary: fc
          .array(fc.tuple(fc.constantFrom('auths', 'auths', 'Auths', 'credsStore'), auths), { maxLength: 2 })
          .map((all) => ` {${all.map(([key, text]) => `"${key}" : ${text}`).join(' , ')}}\n`),
      },
      fc.constantFrom('null', '[]', '', '{', '{}x', '"x"'),
    );

    it('for whatever is written in it, names in any case and twice, nulls, wrong types, base64 of any kind', () => {
      const texts = fc.sample(config, { numRuns: 5000, seed: 14 });
      const expected = byGo(texts);
      const differing = texts.flatMap((text, index) =>
        ours(text) === expected[index] ? [] : [{ text, go: expected[index], ours: ours(text) }],
      );
      expect(differing.slice(0, 5)).toEqual([]);
      expect(new Set(expected.map((said) => said.split(' ')[0]))).toEqual(
        new Set(['none', 'fault', 'basic', 'identity-token', 'registry-token']),
      );
    });
  },
);
