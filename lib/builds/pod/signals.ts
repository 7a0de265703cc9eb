/**
 * How steps that start at once take turns: each has a folder that it alone writes, in which it says that it is done or has failed; all read
 * all of them. A folder is the step's by its mount, whatever runs there and as whom (DESIGN §3.28, §3.31).
 */
import type { Volume, VolumeMount } from 'kubernetes-types/core/v1.d.ts';
import { emptyDir, readOnly } from './volumes.ts';

/** A folder for each step, by its name. */
const all: VolumeMount = readOnly({ name: 'build-wait-dir', mountPath: '/buildWait' });
const own = '/buildSignal';

export const signalsVolume: Volume = emptyDir(all.name);

/** What the step of that name sees: everybody's, and its own to write. */
export const signals = (step: string): readonly VolumeMount[] => [
  all,
  { name: all.name, mountPath: own, subPath: step },
];
