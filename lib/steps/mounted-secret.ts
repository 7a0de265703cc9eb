/** A Secret as a folder of the build pod: one file a key. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SecretError } from '../secrets/secret-text.ts';
import { isSystemError } from './step.ts';

const none = new Uint8Array();

/** Names of keys; what a mounted volume holds beside them (`..data`) is none. */
async function keysIn(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).filter((name) => !name.startsWith('..'));
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) throw new SecretError(`no Secret is mounted at ${folder}`, { cause: error });
    throw error;
  }
}

/** Its bytes by key; empty for keys that it has not. At most 1 MiB together, as of every Secret. @throws SecretError when it is not mounted */
export async function mountedSecret(folder: string): Promise<(key: string) => Uint8Array> {
  const entries = await Promise.all(
    (await keysIn(folder)).map(async (key) => [key, await readFile(join(folder, key))] as const),
  );
  const bytes: ReadonlyMap<string, Uint8Array> = new Map(entries);
  return (key) => bytes.get(key) ?? none;
}
