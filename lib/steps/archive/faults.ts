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

/** The archive as a whole is damaged or of a form that is not read. @param why what is found, and where */
export function brokenArchive(why: string, options?: ErrorOptions): PermanentError {
  return new PermanentError('BrokenArchive', `the source archive cannot be read: ${why}`, options);
}

/** One entry is damaged or of a form that is not read. @param why what it does: `is encrypted` */
export function brokenEntry(name: string, why: string, options?: ErrorOptions): PermanentError {
  return new PermanentError('BrokenArchive', `archive entry ${shownName(name)} ${why}`, options);
}

/** One entry would be written where it may not. */
export function unsafeEntry(name: string, why: string): PermanentError {
  return new PermanentError('UnsafeArchive', `archive entry ${shownName(name)} ${why}`);
}

/** A zip archive as a whole is damaged or of a form that is not read. */
export function brokenZip(why: string): PermanentError {
  return new PermanentError('BrokenArchive', `the source is not a readable zip archive: ${why}`);
}
