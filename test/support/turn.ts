/** The program that starts a step in its turn, run as in a pod: by busybox's shell, with folders for signals. */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('../../functions/steps/turn/turn.sh', import.meta.url));

export interface TurnGiven {
  readonly ready?: string;
  readonly after?: string;
  readonly hold?: string;
  /** The step whose program it is. */
  readonly step?: string;
}

/** Exit code, and what was said by it and by the program. */
export interface TurnEnd {
  readonly code: number | null;
  readonly output: string;
}

/** Folders of steps with these names; they go when it is disposed of. */
export const turnWorld = async (steps: readonly string[]) => {
  const root = await mkdtemp(join(tmpdir(), 'kpackless-turn-'));
  const signals = join(root, 'signals');
  for (const step of steps) await mkdir(join(signals, step), { recursive: true });
  return {
    at: (name: string): string => join(root, name),
    signal: (step: string, name: string): string => join(signals, step, name),
    /** Starts a step's program; `stop` is what the kubelet does to end a container. */
    start: (command: readonly string[], { ready, after, hold, step = 'own' }: TurnGiven = {}) => {
      const told = Object.entries({ ready, after, hold, signals, 'signal-to': join(signals, step) });
      const flags = told.flatMap(([name, value]) => (value === undefined ? [] : [`-${name}=${value}`]));
      const child = spawn('busybox', ['sh', script, ...flags, '--', ...command], { stdio: ['ignore', 'pipe', 'pipe'] });
      let output = '';
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => void (output += data));
      const ended = new Promise<TurnEnd>((resolve, reject) => {
        child.once('error', reject);
        child.once('close', (code) => resolve({ code, output }));
      });
      /** What it has used so far, and the processes that it has waited for, in ticks of a hundredth. */
      const processorSeconds = async () => {
        const fields = (await readFile(`/proc/${child.pid}/stat`, 'utf8'))
          .replace(/^.*\) /, '')
          .split(' ')
          .map(Number);
        const [user = 0, system = 0, childUser = 0, childSystem = 0] = fields.slice(11, 15);
        return { own: (user + system) / 100, ofChildren: (childUser + childSystem) / 100 };
      };
      return { ended, processorSeconds, stop: () => child.kill('SIGTERM') };
    },
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  };
};
