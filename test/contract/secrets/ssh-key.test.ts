import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whichProgram } from '../../../infra/local/cluster/packages.ts';
import { lenientText } from '../../../lib/secrets/secret-text.ts';
import { readSshKey } from '../../../lib/secrets/ssh-key/read.ts';

const run = promisify(execFile);
const missing = ['ssh-keygen', 'puttygen', 'openssl'].find((name) => whichProgram(name) === undefined);

const kinds = ['rsa -b 2048', 'ecdsa -b 256', 'ecdsa -b 384', 'ecdsa -b 521', 'ed25519'] as const;

describe.skipIf(missing !== undefined)(
  `keys as real programs write them (${missing ?? 'ssh-keygen, puttygen, openssl'})`,
  () => {
    let directory: string;
    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), 'kpackless-keys-'));
    });
    afterAll(() => rm(directory, { recursive: true, force: true }));

    const at = (name: string): string => join(directory, name);
    const make = async (kind: string, ...more: readonly string[]): Promise<{ file: string; point: string }> => {
      const file = at(`key-${Math.random().toString(36).slice(2)}`);
      await run('ssh-keygen', ['-q', '-t', ...kind.split(' '), '-N', '', '-C', 'me @ home', '-f', file, ...more]);
      const [type = '', point = ''] = (await readFile(`${file}.pub`, 'utf8')).split(' ');
      return { file, point: `${type} ${point}` };
    };
    const read = async (file: string): Promise<string> => {
      const found = readSshKey(lenientText(await readFile(file)));
      return 'openssh' in found ? found.openssh : `fault: ${found.fault}`;
    };
    /** The public half, as OpenSSH derives it from what was written. */
    const understood = async (file: string): Promise<string> => {
      const written = at('written');
      await writeFile(written, await read(file), { mode: 0o600 });
      const { stdout } = await run('ssh-keygen', ['-y', '-P', '', '-f', written]);
      return stdout.trim().split(' ').slice(0, 2).join(' ');
    };

    it.each(kinds)('%s is understood by OpenSSH from each of its own forms', async (kind) => {
      for (const form of ['RFC4716', 'PEM', 'PKCS8']) {
        const { file, point } = await make(kind, '-m', form);
        expect([form, await understood(file)]).toEqual([form, point]);
      }
    });

    it.each(kinds)(
      '%s is understood by OpenSSH from files of PuTTY, versions 2 and 3, encrypted ones refused',
      async (kind) => {
        const { file, point } = await make(kind, '-m', 'PEM');
        await writeFile(at('words'), 'passphrase');
        for (const version of ['2', '3']) {
          const putty = at(`v${version}.ppk`);
          await run('puttygen', [file, '-O', 'private', '-o', putty, '--ppk-param', `version=${version}`]);
          expect([version, await understood(putty)]).toEqual([version, point]);
          const secret = at(`v${version}-encrypted.ppk`);
          const protect = ['--new-passphrase', at('words'), '--ppk-param', `version=${version}`];
          await run('puttygen', [file, '-O', 'private', '-o', secret, ...protect]);
          expect(await read(secret)).toMatch(/^fault: is encrypted/);
        }
      },
    );

    it.each([
      ['2', ['', 'me@home', ' two  blanks ', 'Schlüssel']],
      ['3', ['', 'me@home', ' two  blanks ', 'Schlüssel']],
    ])(
      'a file of PuTTY %s is read whatever its comment and its lines, and is damaged where PuTTY says so',
      async (version, comments) => {
        const { file, point } = await make('ed25519', '-m', 'PEM');
        const putty = at('comment.ppk');
        for (const comment of comments) {
          await run('puttygen', [
            file,
            '-O',
            'private',
            '-C',
            comment,
            '-o',
            putty,
            '--ppk-param',
            `version=${version}`,
          ]);
          const text = await readFile(putty, 'utf8');
          const forms = [
            text,
            text.replaceAll('\n', '\r\n'),
            text.replaceAll(/^/gmu, '    '),
            text.trimEnd().replaceAll('\n', '\\n'),
            ...(comment === 'me@home' ? [text.trimEnd().replaceAll('\n', ' ')] : []),
            `My key:\n${text}`,
          ];
          for (const form of forms) {
            await writeFile(at('form.ppk'), form);
            expect([form, await understood(at('form.ppk'))]).toEqual([form, point]);
          }
          for (const changed of [
            text.replace('Comment: ', 'Comment: x'),
            text.replace(/(?<=MAC: ).{8}/u, '00000000'),
            text.replace(/Private-MAC.*\n/u, ''),
          ]) {
            await writeFile(at('changed.ppk'), changed);
            await expect(
              run('puttygen', [at('changed.ppk'), '-O', 'private-openssh', '-o', at('none')]),
            ).rejects.toThrow('puttygen');
            expect(await read(at('changed.ppk'))).toMatch(/^fault: is damaged/);
          }
        }
      },
    );

    it.each(['RFC4716', 'PEM', 'PKCS8'])(
      'one with a passphrase is refused with the word encrypted: %s',
      async (form) => {
        for (const kind of kinds) {
          const { file } = await make(kind, '-m', form);
          await run('ssh-keygen', ['-q', '-p', '-P', '', '-N', 'passphrase', '-m', form, '-f', file]);
          expect([kind, await read(file)]).toEqual([kind, expect.stringMatching(/^fault: is encrypted/) as string]);
        }
      },
    );

    it.each<[string, readonly string[], string]>([
      [
        'three primes',
        ['-pkeyopt', 'rsa_keygen_primes:3'],
        'is a key of RSA with more than two primes, which cannot be used',
      ],
      ['DER', ['-outform', 'DER'], 'is in binary (DER or PKCS#12): put it there as PEM (openssl pkey -inform der)'],
    ])('of openssl that ssh cannot use is told for what it is: %s', async (_, args, fault) => {
      await run('openssl', [
        'genpkey',
        '-algorithm',
        'RSA',
        '-pkeyopt',
        'rsa_keygen_bits:2048',
        ...args,
        '-out',
        at('odd'),
      ]);
      expect(await read(at('odd'))).toContain(`fault: ${fault}`);
    });

    it('of ssh.com is told by name, or as encrypted', async () => {
      const { file } = await make('rsa -b 2048', '-m', 'PEM');
      await writeFile(at('words'), 'passphrase');
      await run('puttygen', [file, '-O', 'private-sshcom', '-o', at('open')]);
      await run('puttygen', [file, '-O', 'private-sshcom', '-o', at('shut'), '--new-passphrase', at('words')]);
      expect(await read(at('open'))).toMatch(/^fault: is in the format of ssh\.com/);
      expect(await read(at('shut'))).toMatch(/^fault: is encrypted/);
    });

    it.each([
      ['genpkey -algorithm RSA', ['genpkey', '-algorithm', 'RSA']],
      ['genpkey -algorithm ED25519', ['genpkey', '-algorithm', 'ED25519']],
      ['genpkey of a curve', ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384']],
      ['ecparam -genkey, parameters first', ['ecparam', '-name', 'prime256v1', '-genkey']],
      ['genrsa -traditional', ['genrsa', '-traditional']],
    ])('of openssl %s is understood by OpenSSH', async (_, args) => {
      await run('openssl', [...args, '-out', at('openssl')]);
      expect(await understood(at('openssl'))).toMatch(/^(?:ssh-rsa|ssh-ed25519|ecdsa-sha2-nistp(?:256|384)) AAAA/);
    });
  },
);
