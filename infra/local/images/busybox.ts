import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

import { executable, folder, type LayerEntry } from './layer.ts';

const BUSYBOX = '/bin/busybox';

/** A shell and the usual commands out of one static program: all that buildpacks in sh need (spec 07 §3). */
export const busyboxEntries = (): readonly LayerEntry[] => {
  const applets = execFileSync(BUSYBOX, ['--list'], { encoding: 'utf8', timeout: 10_000 })
    .split('\n')
    .filter(Boolean)
    .sort();
  return [
    folder('bin'),
    executable('bin/busybox', readFileSync(BUSYBOX)),
    ...applets.filter((name) => name !== 'busybox').map((name) => ({ path: `bin/${name}`, link: 'busybox' })),
    folder('usr'),
    folder('usr/bin'),
    { path: 'usr/bin/env', link: '../../bin/busybox' },
  ];
};
