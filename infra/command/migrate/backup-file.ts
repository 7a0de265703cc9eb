/** The backup as a file: only its owner may read it, it is there whole or not at all, and it replaces nothing. */
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { link, open, rm, stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { ExpectedError, PermanentError } from '../../../lib/errors/expected.ts';
import type { KubeObject } from '../../../lib/kube/object.ts';
import { Counts, firstLine, lastLine, linesOf, objectsOf } from '../../../lib/migration/backup.ts';

/** Whether something is there under that name. */
export const isThere = async (path: string): Promise<boolean> => {
  try {
    await stat(path);
    return true;
  } catch {
    return false;
  }
};

/** Every object of the file. @throws PermanentError when it cannot be read, or is no backup that was finished */
export const readBackup = async function* (path: string): AsyncGenerator<KubeObject> {
  const input = createReadStream(path, 'utf8');
  try {
    await once(input, 'ready');
    yield* objectsOf(createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY }));
  } catch (error) {
    if (error instanceof PermanentError) throw new PermanentError(error.reason, `${path}: ${error.message}`);
    throw new PermanentError(
      'Backup',
      `${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  } finally {
    input.destroy();
  }
};

/** What a backup holds. @throws PermanentError as `readBackup` */
export const countBackup = async (path: string): Promise<Counts> => {
  const counts = new Counts();
  for await (const object of readBackup(path)) counts.add(object);
  return counts;
};

const writePart = async (
  part: string,
  head: { readonly cluster: string; readonly at: string },
  objects: AsyncIterable<KubeObject>,
): Promise<Counts> => {
  const counts = new Counts();
  const file = await open(part, 'w', 0o600);
  try {
    // One of an earlier run that died may have been anybody's.
    await file.chmod(0o600);
    await file.write(`${firstLine(head.cluster, head.at)}\n`);
    for await (const object of objects) {
      await file.write(`${linesOf(object)}\n`);
      counts.add(object);
    }
    await file.write(`${lastLine(counts.total)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  return counts;
};

/**
 * Writes all objects, reads the file back and counts. Whoever dies in between leaves a file that ends in `.part`. @throws PermanentError when
 * there is such a file already, or it cannot be written; ExpectedError when it reads back as something else
 */
export const writeBackup = async (
  path: string,
  head: { readonly cluster: string; readonly at: string },
  objects: AsyncIterable<KubeObject>,
): Promise<Counts> => {
  const taken = new PermanentError(
    'Refused',
    `${path} is there already, and is not written over: name another with --backup`,
  );
  if (await isThere(path)) throw taken;
  const part = `${path}.part`;
  try {
    const written = await writePart(part, head, objects);
    const read = await countBackup(part);
    if (read.shown !== written.shown)
      throw new ExpectedError(
        `${part} should hold ${written.shown}, and reads back as ${read.shown}: look at the disk it is on`,
      );
    await link(part, path);
    await rm(part);
    return read;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && 'syscall' in error)) throw error;
    throw error.code === 'EEXIST' ? taken : new PermanentError('Backup', `${path} cannot be written: ${error.message}`);
  }
};
