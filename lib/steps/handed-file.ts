/**
 * Files that a step of ours reads and another step wrote, whose code is anybody's: only what is really a file, and not too long. A link to a
 * mounted key, a pipe that never ends and a terabyte of nothing are all told the same way.
 */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { PermanentError } from '../errors/expected.ts';
import { isSystemError } from './step.ts';

/** Longest file that is read, in bytes: what lifecycles hand on is a few KiB, with a bill of materials some hundred. */
const limitBytes = 4 << 20;

/** The text of the file. @throws PermanentError when something else is there, or it is too long. @throws NodeJS.ErrnoException when nothing is. */
export async function readHandedFile(path: string): Promise<string> {
  // Not blocking: opening a pipe would wait for somebody to write.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(path, flags).catch((error: unknown) => {
    if (isSystemError(error, 'ELOOP') || isSystemError(error, 'ENXIO')) throw noFile(path);
    throw error;
  });
  try {
    if (!(await handle.stat()).isFile()) throw noFile(path);
    const buffer = Buffer.alloc(limitBytes + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await handle.read(buffer, length, buffer.length - length);
      if (bytesRead === 0) return buffer.toString('utf8', 0, length);
      length += bytesRead;
      if (length > limitBytes) throw new PermanentError('', `${path} is larger than ${limitBytes} bytes`);
    }
  } finally {
    await handle.close();
  }
}

const noFile = (path: string): PermanentError => new PermanentError('', `${path} is not a file`);
