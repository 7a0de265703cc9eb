/** Where an archive entry may be written: inside the source folder or nowhere (spec 03 §10.5; DESIGN §4). */
import { unsafeEntry } from './faults.ts';

/** Longest path Linux takes, in bytes. */
const maxLength = 4096;

/**
 * Path relative to the folder, or undefined when `strip` removes it whole. Components are counted as kpack counts them: `./a/b` has three,
 * `a/` two. Leading slashes mean the folder itself. Name and path are bytes (faults.ts).
 * @throws PermanentError for a path that climbs out or cannot exist.
 */
export function entryPath(name: string, strip: number): string | undefined {
  const components = name.split('/');
  const kept = strip > 0 ? components.slice(strip) : components;
  const path = kept.filter((component) => component !== '' && component !== '.');
  if (path.includes('..')) throw unsafeEntry(name, 'leaves the source folder', 'pack it anew from within that folder');
  if (name.includes('\0') || name.length > maxLength) throw unsafeEntry(name, 'cannot be a file name');
  return path.length === 0 ? undefined : path.join('/');
}

/** What has content and no place for it would be lost. @throws PermanentError for a file whose name is none, like `.` */
export function refuseNameless(name: string): void {
  if (entryPath(name, 0) === undefined) throw unsafeEntry(name, 'is a file without a name');
}
