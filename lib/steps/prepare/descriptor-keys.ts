/**
 * Keys of a project descriptor that its schema does not know, as `pack` warns of them: only those below tables that the schema owns, since anybody
 * may keep tables of his own in the file (project descriptor specification 0.1, 0.2, 0.3). Pure.
 */
import type { TomlTable } from 'smol-toml';

/** Versions of the schema that are read. */
export const schemaVersions = ['0.1', '0.2', '0.3'] as const;

/** One of them. */
export type SchemaVersion = (typeof schemaVersions)[number];

/** What may stand in a table: a value, whatever it is, or a table or list of tables. */
interface Shape {
  readonly [key: string]: Shape | 'value';
}

const values = (...keys: readonly string[]): Shape => Object.fromEntries(keys.map((key) => [key, 'value' as const]));

const licenses = values('type', 'uri');
const variable = values('name', 'value');
const project: Shape = { ...values('id', 'name', 'version', 'authors', 'documentation-url', 'source-url'), licenses };
const buildpack: Shape = { ...values('id', 'version', 'uri'), script: values('api', 'inline', 'shell') };
const selective = values('exec-env');

const buildpacksOf = (module: Shape, env: Shape): Shape => ({
  ...values('include', 'exclude', 'builder'),
  group: module,
  pre: { group: module },
  post: { group: module },
  build: { env },
});
const described: Shape = { ...project, ...values('schema-version', 'metadata') };

const shapes: Readonly<Record<SchemaVersion, Shape>> = {
  '0.1': {
    ...values('metadata'),
    _: values('schema-version'),
    project,
    build: { ...values('include', 'exclude', 'builder'), buildpacks: buildpack, env: variable },
  },
  '0.2': {
    _: described,
    io: {
      // `env` as a list of variables is older still, and kpack reads it.
      buildpacks: { ...buildpacksOf(buildpack, variable), env: { ...variable, build: variable } },
    },
  },
  '0.3': {
    _: described,
    io: { buildpacks: buildpacksOf({ ...buildpack, ...selective }, { ...variable, ...selective }) },
  },
};

/** Which of them belong to the schema, and are mistakes; the rest is somebody's own. */
const isOwned: Readonly<Record<SchemaVersion, (key: string) => boolean>> = {
  '0.1': (key) => key.startsWith('project.') || key.startsWith('build.') || key.includes('io.buildpacks'),
  '0.2': (key) => key.includes('io.buildpacks') || (key.startsWith('_.') && !key.startsWith('_.metadata')),
  '0.3': (key) => key.includes('io.buildpacks.env.build'),
};

/** A descriptor that nests deeper, or has more mistakes, has one of another kind. */
const deepest = 20;
const mostKeys = 50;

const isTable = (value: unknown): value is TomlTable =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);

/** The tables of a value: itself, those of a list, or none. */
const tablesOf = (value: unknown): readonly TomlTable[] =>
  (Array.isArray(value) ? value : [value]).filter((one): one is TomlTable => isTable(one));

/** A table that is there only because tables within it are named is not written by anybody. */
const isImplicit = (value: unknown): boolean => {
  if (!isTable(value)) return false;
  const members = Object.values(value);
  return members.length > 0 && members.every((member) => tablesOf(member).length > 0);
};

function* unknownKeys(table: TomlTable, shape: Shape | undefined, path: string, depth: number): Generator<string> {
  if (depth > deepest) return;
  for (const [key, value] of Object.entries(table)) {
    const known = shape !== undefined && Object.hasOwn(shape, key) ? shape[key] : undefined;
    if (known === 'value') continue;
    const here = path === '' ? key : `${path}.${key}`;
    if (known === undefined && !isImplicit(value)) yield here;
    for (const inner of tablesOf(value)) yield* unknownKeys(inner, known, here, depth + 1);
  }
}

/** Keys of the schema's own tables that it does not know, each once, in the order of the file; at most fifty. */
export const unsupportedKeys = (toml: TomlTable, version: SchemaVersion): readonly string[] => {
  const found = new Set<string>();
  for (const key of unknownKeys(toml, shapes[version], '', 0)) {
    if (isOwned[version](key)) found.add(key);
    if (found.size >= mostKeys) break;
  }
  return [...found];
};
