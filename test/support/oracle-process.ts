/** Runs an independent server as a child process on a free loopback port. */

import { type ChildProcess, spawn } from 'node:child_process';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';

export interface RunningOracle {
  readonly endpoint: string;
  readonly close: () => Promise<void>;
}

/** A server that could not be had, and why: one line. */
export interface MissingOracle {
  readonly missing: string;
}

const startDeadlineMs = 60_000;

/** A port nobody listened on a moment ago. */
const freePort = async (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });

const stop = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
};

/** Starts `program` with the arguments for a port and waits until it answers HTTP. Its last words are in the error when it does not. */
export const runOracle = async (
  program: string,
  argumentsFor: (port: number) => readonly string[],
): Promise<RunningOracle> => {
  const port = await freePort();
  const child = spawn(program, [...argumentsFor(port)], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  const hear = (chunk: Buffer): void => {
    said = (said + chunk.toString()).slice(-500);
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  child.once('error', (error) => hear(Buffer.from(error.message)));

  const endpoint = `http://127.0.0.1:${port}`;
  const deadline = Date.now() + startDeadlineMs;
  for (;;) {
    const answers = await fetch(endpoint, { signal: AbortSignal.timeout(2000) }).then(
      () => true,
      () => false,
    );
    if (answers) return { endpoint, close: async () => stop(child) };
    if (child.exitCode !== null || child.pid === undefined || Date.now() > deadline) {
      await stop(child);
      throw new Error(`${program} did not start: ${said.replaceAll('\n', ' ')}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};

/** The server, or the line that says why there is none; prints that line. */
export const oracle = async (
  name: string,
  start: () => Promise<RunningOracle>,
): Promise<RunningOracle | MissingOracle> => {
  if (process.env['KPACKLESS_ORACLES'] === 'off') return { missing: report(name, 'KPACKLESS_ORACLES=off') };
  try {
    return await start();
  } catch (error) {
    return { missing: reportMissing(name, error) };
  }
};

/** The one line that says why something is not compared with; prints it. */
export const reportMissing = (name: string, error: unknown): string =>
  report(name, error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error));

const report = (name: string, why: string): string => {
  const line = `${name} is not compared with: ${why}`;
  process.stderr.write(`${line}\n`);
  return line;
};

/** Is the real service to be compared with? Says how when not: it costs money, so credentials alone do not suffice. */
export const awsIsGiven = (service: string): boolean => {
  const given = process.env['AWS_ACCESS_KEY_ID'] !== undefined && process.env['KPACKLESS_AWS_CONTRACT'] === '1';
  if (!given) report(`${service} of AWS`, 'needs AWS_ACCESS_KEY_ID and KPACKLESS_AWS_CONTRACT=1');
  return given;
};
