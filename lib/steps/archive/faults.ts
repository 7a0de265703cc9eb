/** What is wrong with an archive, as the errors that people read. */
import { isUtf8 } from 'node:buffer';
import { PermanentError } from '../../errors/expected.ts';

/**
 * Names in archives are bytes, whatever they mean: they are kept as texts of which each character is one byte (`latin1`), and only shown as
 * UTF-8 where they are. Quoted, at most 200 characters; bytes that are no UTF-8 as `\xe4`.
 */
export function shownName(bytes: string): string {
  const buffer = Buffer.from(bytes, 'latin1');
  if (isUtf8(buffer)) return JSON.stringify(buffer.toString('utf8').slice(0, 200));
  const escaped = (byte: string): string => `\\x${byte.charCodeAt(0).toString(16)}`;
  return JSON.stringify(bytes.slice(0, 200)).replaceAll(/[\x80-\xff]/g, escaped);
}

/** What helps, unless something else does. */
const again = { damaged: 'fetch or make it anew', unsafe: 'pack it anew' } as const;

interface FaultOptions extends ErrorOptions {
  /** What to do about it. */
  readonly remedy?: string;
}

/** The archive as a whole is damaged or of a form that is not read. @param why what is found, and where */
export function brokenArchive(why: string, options: FaultOptions = {}): PermanentError {
  return broken(`the source archive cannot be read: ${why}`, options);
}

/** The same of a zip archive. */
export function brokenZip(why: string, options: FaultOptions = {}): PermanentError {
  return broken(`the source is not a readable zip archive: ${why}`, options);
}

/** One entry is damaged or of a form that is not read. @param why what it does: `is encrypted` */
export function brokenEntry(name: string, why: string, options: FaultOptions = {}): PermanentError {
  return broken(`archive entry ${shownName(name)} ${why}`, options);
}

function broken(what: string, { remedy = again.damaged, ...options }: FaultOptions): PermanentError {
  return new PermanentError('BrokenArchive', `${what}; ${remedy}`, options);
}

/** One entry would be written where it may not, or in the place of another. */
export function unsafeEntry(name: string, why: string, remedy: string = again.unsafe): PermanentError {
  return new PermanentError('UnsafeArchive', `archive entry ${shownName(name)} ${why}; ${remedy}`);
}
