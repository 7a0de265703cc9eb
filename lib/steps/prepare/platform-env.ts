/** Environment for buildpacks: one file per variable under `/platform/env` (spec 03 §10.1 step 12, §10.6). */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PermanentError } from '../../errors/expected.ts';

const prefix = 'PLATFORM_ENV_';

/** The Build's `env`, which the pod carries as `PLATFORM_ENV_<name>`. */
export function platformEnvironment(env: Readonly<Record<string, string | undefined>>): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(env).flatMap(([name, value]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), value ?? ''] as const] : [],
    ),
  );
}

/** Writes raw values. @throws PermanentError for a name that is no file name: a project descriptor could otherwise write anywhere. */
export async function writePlatformEnvironment(
  platformDir: string,
  variables: ReadonlyMap<string, string>,
): Promise<void> {
  const folder = join(platformDir, 'env');
  await mkdir(folder, { recursive: true });
  for (const [name, value] of variables) {
    if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name)) {
      throw new PermanentError(
        '',
        `environment variable name ${JSON.stringify(name)} cannot be used: it is no file name`,
      );
    }
    await writeFile(join(folder, name), value);
  }
}
