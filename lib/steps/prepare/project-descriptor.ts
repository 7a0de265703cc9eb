/** `project.toml`: which files take part and which environment the buildpacks get (spec 03 §10.6; project descriptor 0.1 to 0.3). */
import { open } from 'node:fs/promises';
import { parse, TomlError, type TomlTable } from 'smol-toml';
import { PermanentError } from '../../errors/expected.ts';
import { printable } from '../../text/printable.ts';
import type { SourceFilter } from './descriptor-filter.ts';
import { type SchemaVersion, schemaVersions, unsupportedKeys } from './descriptor-keys.ts';
import { insidePath } from './inside.ts';

/** What of a descriptor concerns the build. */
export interface ProjectDescriptor {
  readonly filter: SourceFilter | undefined;
  /** Later duplicates have won. */
  readonly environment: ReadonlyMap<string, string>;
  /** Lines for the log: what the file says and we do not do. */
  readonly notes: readonly string[];
}

const nothing: ProjectDescriptor = { filter: undefined, environment: new Map(), notes: [] };

/** Largest descriptor we read, in bytes. */
const limitBytes = 4 << 20;

/**
 * Reads `<appDir>/project.toml`, or the file at `path` below appDir, which then must exist.
 * @throws PermanentError with kpack's sentences for what is wrong in it.
 */
export async function readProjectDescriptor(appDir: string, path: string): Promise<ProjectDescriptor> {
  const name = path === '' ? 'project.toml' : path;
  const file = await insidePath(appDir, name, 'project descriptor path');
  if (file === undefined) {
    if (path === '') return nothing;
    throw new PermanentError('', `project descriptor path set but no file found: ${path}`);
  }
  const handle = await open(file, 'r');
  try {
    if ((await handle.stat()).size > limitBytes) {
      throw new PermanentError('', `project descriptor ${name} is larger than ${limitBytes} bytes`);
    }
    return parseProjectDescriptor(await handle.readFile('utf8'), name);
  } finally {
    await handle.close();
  }
}

/**
 * The rules without the file, as `pack` has them, warnings included; unlike there, and as in kpack, one of an unknown version is passed over and
 * the names of buildpacks are of no account. `name` is for messages.
 */
export function parseProjectDescriptor(text: string, name: string): ProjectDescriptor {
  const toml = tableFrom(text, name);
  const stated = tableAt(toml, '_')['schema-version'];
  const version = stated === undefined || stated === '' ? '0.1' : schemaVersions.find((one) => one === stated);
  if (version === undefined) {
    const shown = typeof stated === 'string' ? stated : JSON.stringify(stated);
    const note = `warning: project descriptor version ${shown} is unsupported and ${name} will be ignored`;
    return { ...nothing, notes: [note] };
  }
  const { notes, ...descriptor } = version === '0.1' ? ofFirst(toml) : ofLater(toml, version);
  const warned =
    version === stated ? [] : [`warning: No schema version declared in ${name}, defaulting to schema version 0.1`];
  return {
    ...descriptor,
    notes: [...warned, ...keyWarnings(toml, version, name), ...licenseWarnings(toml, version, name), ...notes],
  };
}

function ofFirst(toml: TomlTable): ProjectDescriptor {
  const build = tableAt(toml, 'build');
  return descriptorOf(build, 'buildpacks', pairsAt(build, 'env'));
}

function ofLater(toml: TomlTable, version: SchemaVersion): ProjectDescriptor {
  const io = tableAt(tableAt(toml, 'io'), 'buildpacks');
  const build = tableAt(io, 'build');
  const isOld = version === '0.2' && !('env' in build);
  return descriptorOf(io, 'group', isOld ? deprecatedPairs(io) : pairsAt(build, 'env'));
}

function keyWarnings(toml: TomlTable, version: SchemaVersion, name: string): readonly string[] {
  const keys = unsupportedKeys(toml, version);
  if (keys.length === 0) return [];
  return [
    `warning: The following keys declared in ${name} are not supported in schema version ${version}:`,
    ...keys.map((key) => `warning: - ${printable(key, 200)}`),
    'warning: The above keys will be ignored. If this is not intentional, try updating your schema version.',
  ];
}

/** `pack` refuses such a file; what is to be built has nothing to do with it. */
function licenseWarnings(toml: TomlTable, version: SchemaVersion, name: string): readonly string[] {
  const licenses = tableAt(toml, version === '0.1' ? 'project' : '_')['licenses'];
  const isGiven = (value: unknown): boolean => typeof value === 'string' && value !== '';
  const isWhole = (license: unknown): boolean =>
    isTable(license) && (isGiven(license['type']) || isGiven(license['uri']));
  return !Array.isArray(licenses) || licenses.every(isWhole)
    ? []
    : [`warning: ${name}: must have a type or uri defined for each license`];
}

function descriptorOf(table: TomlTable, buildpacks: string, pairs: readonly Pair[]): ProjectDescriptor {
  const include = stringsAt(table, 'include');
  const exclude = stringsAt(table, 'exclude');
  if (include.length > 0 && exclude.length > 0) {
    throw new PermanentError('', 'project descriptor cannot have both include and exclude defined');
  }
  const ignored = [
    ...(isNonEmptyList(table[buildpacks]) ? ['buildpacks'] : []),
    ...(typeof table['builder'] === 'string' && table['builder'] !== '' ? ['builder'] : []),
  ];
  return {
    filter: filterFrom(include, exclude),
    environment: new Map(pairs),
    notes: ignored.map((what) => `info: ${what} provided in project descriptor file will be ignored`),
  };
}

type Pair = readonly [name: string, value: string];

function filterFrom(include: readonly string[], exclude: readonly string[]): SourceFilter | undefined {
  if (exclude.length > 0) return { kind: 'exclude', patterns: exclude };
  return include.length > 0 ? { kind: 'include', patterns: include } : undefined;
}

/** Whether a variable is for images that are built to be run: schema 0.3 has some for tests alone. */
function isOfProduction(entry: unknown): boolean {
  const environments = isTable(entry) ? entry['exec-env'] : undefined;
  if (!Array.isArray(environments) || environments.length === 0) return true;
  return environments.includes('production') || environments.includes('all');
}

function pairsAt(table: TomlTable, key: string): readonly Pair[] {
  return listAt(table, key)
    .filter(isOfProduction)
    .map((entry) => {
      const { name, value } = isTable(entry) ? entry : {};
      if (typeof name !== 'string' || (value !== undefined && typeof value !== 'string')) {
        throw new PermanentError('', 'environment variables in project descriptor could not be parsed');
      }
      return [name, value ?? ''];
    });
}

/** `[[io.buildpacks.env.build]]` or `[[io.buildpacks.env]]`, both of before 0.2 was final; messages are kpack's. */
function deprecatedPairs(io: TomlTable): readonly Pair[] {
  const env = io['env'];
  const entries = isTable(env) ? listAt(env, 'build') : listAt(io, 'env');
  return entries.map((entry) => {
    const { name, value } = isTable(entry) ? entry : {};
    if (typeof name !== 'string') throw new PermanentError('', "environment variable 'name' is not a string");
    if (typeof value !== 'string') throw new PermanentError('', `environment variable '${name}' is not a string value`);
    return [name, value];
  });
}

function tableFrom(text: string, name: string): TomlTable {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [why = ''] = error.message.split('\n');
    throw new PermanentError('', `${name}, line ${error.line}, column ${error.column}: ${why}`, { cause: error });
  }
}

function isTable(value: unknown): value is TomlTable {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

function tableAt(table: TomlTable, key: string): TomlTable {
  const value = table[key];
  return isTable(value) ? value : {};
}

function listAt(table: TomlTable, key: string): readonly unknown[] {
  const value = table[key];
  if (value === undefined) return [];
  if (!Array.isArray(value)) {
    throw new PermanentError('', 'environment variables in project descriptor could not be parsed');
  }
  return value;
}

function stringsAt(table: TomlTable, key: string): readonly string[] {
  const value = table[key] ?? [];
  if (!Array.isArray(value) || value.some((item) => typeof item !== 'string')) {
    throw new PermanentError('', `${key} in project descriptor must be a list of strings`);
  }
  return value.filter((item) => typeof item === 'string');
}

function isNonEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0;
}
