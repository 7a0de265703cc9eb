import { readFileSync } from 'node:fs';

import { tryRun } from './command.ts';

/**
 * Mount points at or below a folder, deepest first, from the text of `/proc/self/mountinfo` (its fifth field, blanks as `\040`).
 * A folder mounted twice is listed twice.
 */
export const mountsUnder = (mountinfo: string, dir: string): readonly string[] =>
  mountinfo
    .split('\n')
    .map((line) => line.split(' ')[4])
    .filter((point): point is string => point !== undefined)
    .map((point) =>
      point.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))),
    )
    .filter((point) => point === dir || point.startsWith(`${dir}/`))
    .toSorted((a, b) => b.length - a.length);

/** Takes off everything mounted at or below `dir`; what is busy is detached and goes with its last user. */
export const unmountUnder = async (dir: string): Promise<void> => {
  for (const point of mountsUnder(readFileSync('/proc/self/mountinfo', 'utf8'), dir)) {
    if (!(await tryRun('umount', [point]))) await tryRun('umount', ['-l', point]);
  }
};
