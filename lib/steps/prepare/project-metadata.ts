/** What the exporter writes into the image about its source: `project-metadata.toml` (spec 03 §10.2–§10.4). */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** One of kpack's three forms. */
export interface ProjectSource {
  readonly type: 'git' | 'blob' | 'image';
  readonly metadata: Readonly<Record<string, string>>;
  readonly version: Readonly<Record<string, string>>;
}

/** The file byte for byte as kpack writes it: keys as given, tables indented by two spaces. */
function projectMetadataToml({ type, metadata, version }: ProjectSource): string {
  const table = (name: string, values: Readonly<Record<string, string>>): string =>
    [`  [source.${name}]`, ...Object.entries(values).map(([key, value]) => `    ${key} = ${tomlString(value)}`)].join(
      '\n',
    );
  return `[source]\n  type = ${tomlString(type)}\n${table('metadata', metadata)}\n${table('version', version)}\n`;
}

/** JSON's escapes are all TOML's; only DEL, which JSON leaves alone, TOML wants escaped. */
function tomlString(text: string): string {
  return JSON.stringify(text).replaceAll('\u007f', '\\u007F');
}

/** Writes the file into `folder`. */
export async function writeProjectMetadata(folder: string, source: ProjectSource): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'project-metadata.toml'), projectMetadataToml(source));
}
