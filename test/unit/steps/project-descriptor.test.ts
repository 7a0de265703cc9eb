import { readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { packTar } from 'modern-tar';
import { describe, expect, it } from 'vitest';
import { deletedBy } from '../../../lib/steps/prepare/descriptor-filter.ts';
import { parseProjectDescriptor } from '../../../lib/steps/prepare/project-descriptor.ts';
import { pushImage, type StepWorld, stepWorld } from '../../support/step-world.ts';

const parsed = (text: string) => parseProjectDescriptor(text, 'project.toml');

/** Runs prepare on a source of these files. */
const prepared = async (
  world: StepWorld,
  files: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>> = {},
): Promise<void> => {
  const entries = Object.entries(files).map(([name, body]) => ({
    header: { name, size: Buffer.byteLength(body), mode: 0o644, mtime: new Date(0) },
    body,
  }));
  const image = await pushImage(`${world.registry.host}/src:1`, [await packTar(entries)]);
  await world.prepare({ REGISTRY_IMAGE: image, ...env });
};
const platformEnv = (world: StepWorld, name: string): Promise<string> =>
  readFile(join(world.paths.platformDir, 'env', name), 'utf8');

describe('a project descriptor', () => {
  it('03#144 of version 0.1 sets environment, the last of equal names winning', async () => {
    await using world = await stepWorld();
    const toml = '[[build.env]]\nname = "k"\nvalue = "1"\n[[build.env]]\nname = "k"\nvalue = "2"\n';
    await prepared(world, { 'project.toml': toml });
    expect(await platformEnv(world, 'k')).toBe('2');
  });

  it('03#145 of version 0.2 takes only build.env when both forms are there', () => {
    const toml = `[_]
schema-version = "0.2"
[[io.buildpacks.build.env]]
name = "new"
value = "1"
[[io.buildpacks.env.build]]
name = "old"
value = "2"
`;
    expect([...parsed(toml).environment]).toStrictEqual([['new', '1']]);
  });

  it.each(['[[io.buildpacks.env.build]]', '[[io.buildpacks.env]]'])('of version 0.2 takes the old form %s', (table) => {
    const toml = `[_]\nschema-version = "0.2"\n${table}\nname = "old"\nvalue = "2"\n`;
    expect([...parsed(toml).environment]).toStrictEqual([['old', '2']]);
  });

  it('03#146 says what is wrong with a deprecated variable', () => {
    const old = (body: string) => () => parsed(`[_]\nschema-version = "0.2"\n[[io.buildpacks.env.build]]\n${body}`);
    expect(old('name = "KeyA"\nvalue = 1')).toThrow("environment variable 'KeyA' is not a string value");
    expect(old('name = 1\nvalue = "x"')).toThrow("environment variable 'name' is not a string");
    expect(() => parsed('[_]\nschema-version = "0.2"\n[io.buildpacks.build]\nenv = "x"')).toThrow(
      'environment variables in project descriptor could not be parsed',
    );
  });

  it('03#147 deletes what is excluded', async () => {
    await using world = await stepWorld();
    const toml = '[build]\nexclude = ["*.sh", "secrets/", "/other-cookie.jar"]\n';
    await prepared(world, {
      'project.toml': toml,
      'a.sh': '',
      'nested/b.sh': '',
      'secrets/key': '',
      'nested/secrets/key': '',
      'other-cookie.jar': '',
      'nested/other-cookie.jar': '',
      keep: '',
    });
    expect(await world.files()).toStrictEqual(['keep', 'nested/other-cookie.jar', 'project.toml']);
  });

  it('03#148 keeps only what is included', async () => {
    await using world = await stepWorld();
    const toml = '[build]\ninclude = ["*.jar", "media/mountain.jpg", "/media/person.png"]\n';
    const gone = { 'project.toml': toml, 'a.sh': '', 'x/media/person.png': '' };
    const kept = { 'cookie.jar': '', 'media/mountain.jpg': '', 'media/person.png': '', 'nested/b.jar': '' };
    await prepared(world, { ...gone, ...kept });
    expect(await world.files()).toStrictEqual(Object.keys(kept).sort());
  });

  it('03#149 cannot both include and exclude', () => {
    expect(() => parsed('[build]\ninclude = ["a"]\nexclude = ["b"]')).toThrow(
      'project descriptor cannot have both include and exclude defined',
    );
  });

  it('03#150 is told that its builder and buildpacks are ignored', () => {
    const old = '[build]\nbuilder = "b"\n[[build.buildpacks]]\nid = "x"\n';
    const now = '[_]\nschema-version = "0.2"\n[io.buildpacks]\nbuilder = "b"\n[[io.buildpacks.group]]\nid = "x"\n';
    for (const toml of [old, now]) {
      expect(parsed(toml).notes.filter((note) => !note.startsWith('warning: No schema version'))).toStrictEqual([
        'info: buildpacks provided in project descriptor file will be ignored',
        'info: builder provided in project descriptor file will be ignored',
      ]);
    }
  });

  it('03#151 of an unknown version is ignored with a warning', () => {
    const { notes, filter } = parsed('[_]\nschema-version = "0.99"\n[build]\nexclude = ["a"]\n');
    expect(notes).toStrictEqual([
      'warning: project descriptor version 0.99 is unsupported and project.toml will be ignored',
    ]);
    expect(filter).toBeUndefined();
  });

  it('without a version is read as 0.1, and told so', () => {
    expect(parsed('').notes).toStrictEqual([
      'warning: No schema version declared in project.toml, defaulting to schema version 0.1',
    ]);
  });

  it.each([
    ['0.1', '[build]\nexclude = ["a"]\n[[build.env]]\nname = "k"\nvalue = "v"\n'],
    ['0.2', '[io.buildpacks]\nexclude = ["a"]\n[[io.buildpacks.build.env]]\nname = "k"\nvalue = "v"\n'],
    ['0.3', '[io.buildpacks]\nexclude = ["a"]\n[[io.buildpacks.build.env]]\nname = "k"\nvalue = "v"\n'],
  ])('that says it is of version %s is read, unlike in kpack', (version, body) => {
    const { filter, environment, notes } = parsed(`[_]\nschema-version = "${version}"\n${body}`);
    expect([filter, [...environment], notes]).toStrictEqual([{ kind: 'exclude', patterns: ['a'] }, [['k', 'v']], []]);
  });

  it('of version 0.3 has variables for tests that are none of a build’s', () => {
    const env = (value: string, environments: string) =>
      `[[io.buildpacks.build.env]]\nname = "RAILS_ENV"\nvalue = "${value}"\nexec-env = ${environments}\n`;
    const toml = `[_]\nschema-version = "0.3"\n${env('production', '["production"]')}${env('test', '["test"]')}`;
    expect([...parsed(toml).environment]).toStrictEqual([['RAILS_ENV', 'production']]);
    expect([...parsed(`[_]\nschema-version = "0.3"\n${env('both', '["all"]')}`).environment]).toHaveLength(1);
  });

  // What pack prints of these files, its own `Warning: ` apart.
  it.each([
    [
      '0.1',
      `[project]
authors = ["foo", "bar"]
[[io.buildpacks.build.env]]
name = "JAVA_OPTS"
value = "-Xmx1g"
[io.docker]
file = "./Dockerfile"
[metadata]
foo = "bar"
`,
      ['io.buildpacks.build.env', 'io.buildpacks.build.env.name', 'io.buildpacks.build.env.value'],
    ],
    [
      '0.2',
      `[_]
schema-version = "0.2"
id = "foo"
version = "bar"
versions = "0.1"
[[_.licenses]]
type = "foo"
foo = "bar"
[[io.buildpacks.build.foo]]
name = "something"
[io.docker]
file = "./Dockerfile"
[_.metadata]
foo = "bar"
[_.metadata.fizz]
buzz = ["a", "b", "c"]
`,
      ['_.versions', '_.licenses.foo', 'io.buildpacks.build.foo', 'io.buildpacks.build.foo.name'],
    ],
    [
      '0.3',
      '[_]\nschema-version = "0.3"\n[[io.buildpacks.env.build]]\nname = "a"\nvalue = "b"\n',
      ['io.buildpacks.env.build', 'io.buildpacks.env.build.name', 'io.buildpacks.env.build.value'],
    ],
  ])('of version %s is told which keys its schema does not know, and nobody’s own', (version, toml, keys) => {
    const { notes } = parsed(toml);
    expect(notes.filter((note) => !note.startsWith('warning: No schema'))).toStrictEqual([
      `warning: The following keys declared in project.toml are not supported in schema version ${version}:`,
      ...keys.map((key) => `warning: - ${key}`),
      'warning: The above keys will be ignored. If this is not intentional, try updating your schema version.',
    ]);
  });

  it('is told of at most fifty keys, however deep they are', () => {
    const many = Array.from({ length: 200 }, (_, n) => `k${n} = 1`).join('\n');
    expect(parsed(`[_]\nschema-version = "0.2"\n${many}\n`).notes).toHaveLength(52);
    expect(() => parsed(`[_]\nschema-version = "0.2"\n[io.buildpacks.${'a.'.repeat(5000)}b]\n`)).not.toThrow();
  });

  it('with a license that says nothing is told so, and read all the same', () => {
    expect(parsed('[_]\nschema-version = "0.2"\n[[_.licenses]]\n[io.buildpacks]\nexclude = ["a"]\n')).toMatchObject({
      notes: ['warning: project.toml: must have a type or uri defined for each license'],
      filter: { patterns: ['a'] },
    });
  });

  it('03#152 that is named must exist', async () => {
    await using world = await stepWorld();
    await expect(prepared(world, { a: '' }, { PROJECT_DESCRIPTOR_PATH: 'invalid-project.toml' })).rejects.toThrow(
      'error while processing the project descriptor: project descriptor path set but no file found: invalid-project.toml',
    );
  });

  it('is looked for in the sub path, and filters only that', async () => {
    await using world = await stepWorld();
    const files = { 'sub/project.toml': '[build]\nexclude = ["*.sh"]', 'sub/a.sh': '', 'a.sh': '' };
    await prepared(world, files, { SOURCE_SUB_PATH: 'sub' });
    expect(await world.files()).toStrictEqual(['a.sh', 'sub/project.toml']);
  });

  it('with a mistake is told with its line and column', () => {
    expect(() => parsed('[build]\nexclude = [\n')).toThrow(/^project\.toml, line 3, column 1: /);
  });

  it.each(['../outside', '/../../etc'])('cannot lie outside the source: %s', async (path) => {
    await using world = await stepWorld();
    await expect(prepared(world, { a: '' }, { PROJECT_DESCRIPTOR_PATH: path })).rejects.toThrow(/outside|no file/);
    await using other = await stepWorld();
    await expect(prepared(other, { a: '' }, { SOURCE_SUB_PATH: path })).rejects.toThrow(/outside|no folder/);
  });

  it('that is a link out of the source is not read, and its text not shown', async () => {
    await using world = await stepWorld();
    await world.secret('s', { password: 'hunter2 is no toml' });
    await symlink(join(world.paths.secretsDir, 's/password'), join(world.paths.workspace, 'project.toml'));
    const failure = await prepared(world, { a: '' }).then(() => 'none', String);
    expect(failure).toContain('lies outside the source');
    expect(failure).not.toContain('hunter2');
  });

  it('cannot write a variable outside the folder of variables', async () => {
    await using world = await stepWorld();
    const toml = '[[build.env]]\nname = "../../evil"\nvalue = "x"\n';
    await expect(prepared(world, { 'project.toml': toml })).rejects.toThrow('it is no file name');
  });
});

describe('the filter', () => {
  // What go-gitignore and git agree on (spec 03 §10.6).
  it.each([
    ['*.txt', 'a/b.txt', true],
    ['/a', 'b/a', false],
    ['a/', 'a/b/c', true],
    ['a/**/z', 'a/b/c/z', true],
    ['**/z', 'x/z', true],
    ['dir/*.ext', 'x/dir/a.ext', false],
    ['#a', '#a', false],
    ['a.b', 'axb', false],
  ])('exclude %j deletes %j: %j', (pattern, path, isDeleted) => {
    expect(deletedBy({ kind: 'exclude', patterns: [pattern] })(path)).toBe(isDeleted);
    expect(deletedBy({ kind: 'include', patterns: [pattern] })(path)).toBe(!isDeleted);
  });

  it('keeps what a later pattern takes back', () => {
    const deleted = deletedBy({ kind: 'exclude', patterns: ['*.log', '!keep.log'] });
    expect([deleted('a.log'), deleted('keep.log')]).toStrictEqual([true, false]);
  });
});

describe('platform environment', () => {
  it('03#153 holds raw values, empty ones too, and wins over the descriptor', async () => {
    await using world = await stepWorld();
    const toml = '[[build.env]]\nname = "keyC"\nvalue = "from descriptor"\n';
    await prepared(world, { 'project.toml': toml }, { PLATFORM_ENV_keyC: 'foo=bar', PLATFORM_ENV_keyD: '' });
    expect(await platformEnv(world, 'keyC')).toBe('foo=bar');
    expect(await platformEnv(world, 'keyD')).toBe('');
  });
});
