/** What the figures were measured on. */

import { readFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';

/** Cores, their model, and memory. */
export interface Machine {
  readonly cores: number;
  readonly model: string;
  readonly memoryGb: number;
  readonly node: string;
  /** Runnable processes in the last minute: above 1 at the start, others shared the machine and times say little. */
  readonly load: number;
}

/** This machine. */
export const thisMachine = (): Machine => ({
  cores: cpus().length,
  model: cpus()[0]?.model ?? 'unknown',
  memoryGb: Math.round(totalmem() / 1e9),
  node: process.version,
  load: Math.round((loadavg()[0] ?? 0) * 10) / 10,
});

/** Seconds of CPU time a process has used, all its threads together. */
export const cpuSeconds = (pid: number): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100; // ticks of user and system time: 100 a second on every Linux
};

/** Memory a process holds now, in MB of 10⁶ bytes; 0 when it is gone. */
export const residentMb = (pid: number): number => {
  try {
    const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return (Number(kib ?? 0) * 1024) / 1e6;
  } catch {
    return 0;
  }
};
