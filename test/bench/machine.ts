/** What the figures were measured on. */

import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';

/** Cores, their model, and memory. */
export interface Machine {
  readonly cores: number;
  readonly model: string;
  readonly memoryGb: number;
  readonly node: string;
}

/** This machine. */
export const thisMachine = (): Machine => ({
  cores: cpus().length,
  model: cpus()[0]?.model ?? 'unknown',
  memoryGb: Math.round(totalmem() / 1e9),
  node: process.version,
});

/** Memory a process holds now, in MB of 10⁶ bytes; 0 when it is gone. */
export const residentMb = (pid: number): number => {
  try {
    const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return (Number(kib ?? 0) * 1024) / 1e6;
  } catch {
    return 0;
  }
};
