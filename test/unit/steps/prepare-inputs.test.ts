import { describe, expect, it } from 'vitest';
import { type Authorization, reading } from '../../../lib/oci/keychain.ts';
import { blockYaml } from '../../../lib/steps/block-yaml.ts';
import { buildChangeLines } from '../../../lib/steps/build-changes.ts';
import { appended, credentialsFromFlags, dockerConfigOf, keychainOf } from '../../../lib/steps/docker-credentials.ts';
import { parseFlags, UsageError } from '../../../lib/steps/flags.ts';
import { lineDiff } from '../../../lib/steps/line-diff.ts';
import { prepareOptions } from '../../../lib/steps/prepare/options.ts';
import { stepWorld } from '../../support/step-world.ts';

const basic = (username: string): Authorization => ({ kind: 'basic', username, password: 'p' });
const silent = (): void => undefined;

describe('flags', () => {
  const names = { values: ['a'], lists: ['l'], booleans: ['b'] };

  it('are taken in all four forms that Go knows, and end at the first argument that is none', () => {
    const { values, list, rest } = parseFlags(['-a=1', '--l', 'x', '-l=y=z', '-b', 'tag', '-a', '2'], names);
    expect([...values]).toStrictEqual([
      ['a', '1'],
      ['b', 'true'],
    ]);
    expect(list('l')).toStrictEqual(['x', 'y=z']);
    expect(rest).toStrictEqual(['tag', '-a', '2']);
  });

  it('end at two dashes', () => {
    expect(parseFlags(['--', '-a'], names).rest).toStrictEqual(['-a']);
  });

  it.each([[['-x']], [['-a']]])('that are wrong are a usage error: %j', (args) => {
    expect(() => parseFlags(args, names)).toThrow(UsageError);
  });
});

describe('what prepare is told', () => {
  it('03#12 comes from flags first and then from the environment', () => {
    const options = prepareOptions({
      args: ['-git-revision=v2', '-basic-git=g=https://github.com', '-imagepull=p1', '-imagepull=p2'],
      env: { GIT_URL: 'https://github.com/a/b', GIT_REVISION: 'v1', INSECURE_SSH_TRUST_UNKNOWN_HOSTS: 'false' },
    });
    expect(options.source).toStrictEqual({
      kind: 'git',
      url: 'https://github.com/a/b',
      revision: 'v2',
      submodules: false,
      secrets: { basic: ['g=https://github.com'], ssh: [] },
      trustUnknownHosts: false,
    });
    expect(options.imagePull).toStrictEqual(['p1', 'p2']);
  });

  it('prefers git over blob over registry, and trusts unknown hosts unless told otherwise', () => {
    const all = { GIT_URL: 'https://h/r', BLOB_URL: 'https://h/b', REGISTRY_IMAGE: 'i' };
    expect(prepareOptions({ args: [], env: all }).source).toMatchObject({ kind: 'git', trustUnknownHosts: true });
    expect(prepareOptions({ args: [], env: { ...all, GIT_URL: '' } }).source).toMatchObject({ kind: 'blob' });
  });
});

describe('registry credentials', () => {
  it('03#105 come from basic Secrets; a line break at the end of a password is said, and harms its registry alone', async () => {
    await using world = await stepWorld();
    await world.secret('gcr-creds', { username: 'u', password: 'p ' });
    await world.secret('echoed', { username: 'u', password: 'hunter2\n' });
    const lines: string[] = [];
    const flags = { basicDocker: ['gcr-creds=gcr.io'], dockercfg: [], dockerconfig: [] };
    const found = await credentialsFromFlags(flags, world.paths.secretsDir, (line) => lines.push(line));
    expect([...found]).toStrictEqual([['gcr.io', { kind: 'basic', username: 'u', password: 'p ' }]]);
    expect(lines).toStrictEqual(['Loading secrets for "gcr.io" from secret "gcr-creds"']);
    const both = { basicDocker: ['echoed=gcr.io', 'gcr-creds=other.io'], dockercfg: [], dockerconfig: [] };
    const keychain = keychainOf(await credentialsFromFlags(both, world.paths.secretsDir, (line) => lines.push(line)));
    expect(lines.at(-1)).toMatch(/^No credentials for "gcr.io": password of Secret echoed ends with a line break/);
    await expect(keychain({ registry: 'gcr.io', path: 'x' }, reading)).rejects.toThrow(
      /^password of Secret echoed ends with a line break/,
    );
    expect(await keychain({ registry: 'other.io', path: 'x' }, reading)).toMatchObject({ password: 'p ' });
  });

  it('with a user name or a password alone have the other one empty; one that is not there harms no other', async () => {
    await using world = await stepWorld();
    await world.secret('user', { username: 'u' });
    await world.secret('token', { password: 't' });
    const flags = { basicDocker: ['user=a.io', 'token=b.io', 'gone=c.io'], dockercfg: [], dockerconfig: [] };
    const found = await credentialsFromFlags(flags, world.paths.secretsDir, silent);
    expect(Object.fromEntries(found)).toStrictEqual({
      'a.io': { kind: 'basic', username: 'u', password: '' },
      'b.io': { kind: 'basic', username: '', password: 't' },
      'c.io': { kind: 'unusable', why: `no Secret is mounted at ${world.paths.secretsDir}/gone` },
    });
    expect(JSON.parse(dockerConfigOf(found))).toMatchObject({
      auths: { 'a.io': { auth: 'dTo=' }, 'b.io': { auth: 'OnQ=' } },
    });
    expect(dockerConfigOf(found)).not.toContain('c.io');
  });

  it('03#104 come from both files of one Secret', async () => {
    await using world = await stepWorld();
    await world.secret('s', {
      '.dockerconfigjson': '{"auths":{"a.io":{"username":"a","password":"p"},"c.io":{"username":"x","password":"p"}}}',
      '.dockercfg': '{"b.io":{"username":"b","password":"p"},"c.io":{"username":"c","password":"p"}}',
    });
    const flags = { basicDocker: [], dockercfg: [], dockerconfig: ['s'] };
    const found = await credentialsFromFlags(flags, world.paths.secretsDir, silent);
    expect(Object.fromEntries(found)).toStrictEqual({ 'a.io': basic('a'), 'b.io': basic('b'), 'c.io': basic('c') });
  });

  it('that cannot be read are passed over and told of, without their content', async () => {
    await using world = await stepWorld();
    await world.secret('s', {
      '.dockerconfigjson': '{"auths": hunter2',
      '.dockercfg': '{"a.io":{"username":"a","password":"p"}}',
    });
    const flags = { basicDocker: [], dockercfg: [], dockerconfig: ['s'] };
    const lines: string[] = [];
    const found = await credentialsFromFlags(flags, world.paths.secretsDir, (line) => lines.push(line));
    expect([...found]).toStrictEqual([['a.io', basic('a')]]);
    expect(lines[0]).toContain(`${world.paths.secretsDir}/s/.dockerconfigjson: not a JSON object`);
    expect(lines.join()).not.toContain('hunter2');
  });

  it('03#106 are not overwritten by what is appended', () => {
    const first = new Map([['gcr.io', basic('first')]]);
    for (const key of ['gcr.io', 'https://gcr.io']) {
      expect([...appended(first, new Map([[key, basic('second')]]))]).toStrictEqual([['gcr.io', basic('first')]]);
    }
  });

  it('03#107 are both there when the registries differ', () => {
    const both = appended(new Map([['gcr.io', basic('a')]]), new Map([['other.io', basic('b')]]));
    expect([...both.keys()]).toStrictEqual(['gcr.io', 'other.io']);
  });

  it('03#108 are none for a registry nobody speaks of', async () => {
    const keychain = keychainOf(new Map([['gcr.io', basic('a')]]));
    expect(await keychain({ registry: 'reg.io', path: 'x' }, reading)).toBeUndefined();
    expect(await keychain({ registry: 'gcr.io', path: 'x' }, reading)).toStrictEqual(basic('a'));
  });

  it('03#109 are saved in the form the lifecycle reads', () => {
    expect(JSON.parse(dockerConfigOf(new Map([['a.io', basic('u')]])))).toStrictEqual({
      auths: { 'a.io': { auth: 'dTpw', username: 'u', password: 'p' } },
    });
  });
});

describe('the log of build changes', () => {
  it('03#182 says nothing for nothing, and never fails on what it cannot read', () => {
    expect(buildChangeLines('')).toStrictEqual([]);
    expect(buildChangeLines('random-string')[0]).toMatch(/^error parsing build changes JSON string 'random-string': /);
  });

  it('03#183 shows old and new of a commit', () => {
    const changes = [
      { reason: 'TRIGGER', old: '', new: 'A new build was manually triggered' },
      { reason: 'COMMIT', old: 'a1', new: 'b2' },
    ];
    const lines = buildChangeLines(JSON.stringify(changes));
    expect(lines[0]).toBe('Build reason(s): TRIGGER,COMMIT');
    expect(lines.slice(-3)).toStrictEqual([
      'COMMIT:',
      '\t\u001b[31m-\u001b[0m \u001b[31ma1\u001b[0m',
      '\t\u001b[32m+\u001b[0m \u001b[32mb2\u001b[0m',
    ]);
  });

  it('03#184 shows a change of environment as a diff of YAML', () => {
    const change = {
      reason: 'CONFIG',
      old: { env: [{ name: 'a', value: '1' }] },
      new: { env: [{ name: 'a', value: '2' }] },
    };
    expect(buildChangeLines(JSON.stringify([change])).slice(1)).toStrictEqual([
      'CONFIG:',
      '\t  env:',
      '\t  - name: a',
      '\t\u001b[31m-\u001b[0m \u001b[31m  value: "1"\u001b[0m',
      '\t\u001b[32m+\u001b[0m \u001b[32m  value: "2"\u001b[0m',
    ]);
  });

  it('diffs by the longest common lines', () => {
    const signs = lineDiff('a\nb\nc\nd', 'a\nc\nx\nd').map(({ sign, text }) => sign + text);
    expect(signs).toStrictEqual([' a', '-b', ' c', '+x', ' d']);
  });

  it('writes YAML that quotes what is no plain text', () => {
    expect(blockYaml({ b: [], a: { z: 'yes', y: 'x: y', x: null, w: [1, ['p']] } })).toBe(
      'a:\n  w:\n  - 1\n  - - p\n  x: null\n  y: "x: y"\n  z: "yes"\nb: []\n',
    );
    expect(['0o7', '.inf', '-.inf', '.nan', '.x'].map(blockYaml).join('')).toBe('"0o7"\n".inf"\n"-.inf"\n".nan"\n.x\n');
  });
});
