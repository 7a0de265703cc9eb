/**
 * A function as Lambda runs it: its own code out of its own zip, in a process with the environment that it was deployed with and the credentials of
 * its role, which asks the Runtime API for events (AWS Lambda Developer Guide, "Using the Lambda runtime API").
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

/** A function of the account. */
export interface DeployedFunction {
  readonly name: string;
  /** Where its code lies unpacked. */
  readonly folder: string;
  readonly roleArn: string;
  readonly handler: string;
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
  readonly environment: Readonly<Record<string, string>>;
}

/** One that runs. */
export interface FunctionProcess {
  /** Hands it an event and waits for the answer, as long as the function may take. @throws Error with what the function said */
  invoke(event: unknown): Promise<unknown>;
  /** What it has logged, line by line. */
  readonly lines: readonly string[];
  stop(): void;
}

interface Invocation {
  readonly id: string;
  readonly event: string;
  readonly deadline: number;
  readonly done: (answer: unknown) => void;
  readonly failed: (why: Error) => void;
}

const runtime = join(import.meta.dirname, 'runtime.ts');
const api = '/2018-06-01/runtime';

/** Starts the process; it asks for its first event when its code is loaded. One event at a time, as on Lambda. */
export const startFunction = async (
  deployed: DeployedFunction,
  environment: Readonly<Record<string, string>>,
): Promise<FunctionProcess> => {
  const waiting: Invocation[] = [];
  const lines: string[] = [];
  let idle: ServerResponse | undefined;
  let running: Invocation | undefined;

  const hand = (): void => {
    if (idle === undefined || running !== undefined) return;
    const next = waiting.shift();
    if (next === undefined) return;
    running = next;
    idle
      .writeHead(200, {
        'content-type': 'application/json',
        'Lambda-Runtime-Aws-Request-Id': next.id,
        'Lambda-Runtime-Deadline-Ms': String(next.deadline),
        'Lambda-Runtime-Invoked-Function-Arn': deployed.name,
      })
      .end(next.event);
    idle = undefined;
  };

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8');
      const path = request.url ?? '';
      if (path === `${api}/invocation/next`) {
        idle = response;
        return hand();
      }
      response.writeHead(202).end();
      const ended = running;
      running = undefined;
      if (path.endsWith('/response')) ended?.done(body === '' ? undefined : (JSON.parse(body) as unknown));
      else ended?.failed(new Error(`${deployed.name} failed: ${body}`));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;

  const child: ChildProcess = spawn(process.execPath, [runtime], {
    cwd: deployed.folder,
    env: {
      PATH: process.env['PATH'],
      ...deployed.environment,
      ...environment,
      AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${port}`,
      AWS_LAMBDA_FUNCTION_NAME: deployed.name,
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(deployed.memoryMb),
      LAMBDA_TASK_ROOT: deployed.folder,
      _HANDLER: deployed.handler,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const hear = (chunk: Buffer): void => void lines.push(...chunk.toString().split('\n').filter(Boolean));
  child.stdout?.on('data', hear);
  child.stderr?.on('data', hear);
  child.once('exit', (code) => {
    const why = new Error(`${deployed.name} ended (${code ?? 'killed'}): ${lines.slice(-3).join(' ')}`);
    for (const invocation of [...(running === undefined ? [] : [running]), ...waiting]) invocation.failed(why);
  });
  return {
    lines,
    invoke: (event) =>
      new Promise((resolve, reject) => {
        const id = randomUUID();
        const timer = setTimeout(
          () => reject(new Error(`${deployed.name} did not answer within ${deployed.timeoutSeconds} s`)),
          deployed.timeoutSeconds * 1000,
        );
        waiting.push({
          id,
          event: JSON.stringify(event),
          deadline: Date.now() + deployed.timeoutSeconds * 1000,
          done: (answer) => {
            clearTimeout(timer);
            resolve(answer);
          },
          failed: (why) => {
            clearTimeout(timer);
            reject(why);
          },
        });
        hand();
      }),
    stop: () => {
      child.kill('SIGKILL');
      server.closeAllConnections();
      server.close();
    },
  };
};
