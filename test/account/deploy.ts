/** The packaged template, put into an emulated account by osls itself, and what that account says it has then. */
import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { bundleAll } from '../../infra/bundle.ts';
import { oslsEnvironment, oslsProgram } from '../../infra/deploy/osls.ts';
import { parametersOf } from '../../infra/settings/parameters.ts';
import type { StageSettings } from '../../infra/settings/schema.ts';
import { administrator } from './administrator.ts';
import type { DeployedFunction } from './function-process.ts';
import type { Role } from './gate.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const report = fileURLToPath(new URL('account_report.py', import.meta.url));
const deadlineMilliseconds = 240_000;

/** One mapping of a queue to a function. */
export interface Mapping {
  readonly queueArn: string;
  readonly functionArn: string;
  readonly batchSize: number;
}

/** What there is. */
export interface Deployed {
  readonly roles: readonly (Role & { readonly trust: readonly unknown[] })[];
  readonly functions: readonly DeployedFunction[];
  readonly mappings: readonly Mapping[];
  readonly outputs: Readonly<Record<string, string>>;
}

/** The account to deploy to. */
export interface Account {
  /** moto itself. */
  readonly endpoint: string;
  readonly region: string;
  readonly python: string;
}

/** Runs it to its end; gives what it said. @throws Error with that */
const osls = async (
  folder: string,
  { endpoint, region }: Account,
  command: string,
  settings: StageSettings,
): Promise<string> => {
  const parameters = join(folder, 'parameters.json');
  await writeFile(parameters, JSON.stringify(parametersOf(settings)));
  const ended = run(process.execPath, [oslsProgram, command, '--stage', 'prod', '--region', region], {
    cwd: folder,
    env: {
      PATH: process.env['PATH'],
      HOME: folder,
      AWS_ENDPOINT_URL: endpoint,
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: administrator.accessKeyId,
      AWS_SECRET_ACCESS_KEY: administrator.secretAccessKey,
      ...oslsEnvironment(parameters, settings),
    },
    timeout: deadlineMilliseconds,
  });
  const { stdout, stderr } = await ended.catch((error: { readonly stdout: string; readonly stderr: string }) => {
    throw new Error(`osls ${command} failed: ${error.stdout}${error.stderr}`);
  });
  return stdout + stderr;
};

/** Bundles and deploys from a copy in `folder`. Gives what osls said. */
export const deploy = async (folder: string, account: Account, settings: StageSettings): Promise<string> => {
  await mkdir(join(folder, 'infra'), { recursive: true });
  await cp(join(root, 'serverless.yml'), join(folder, 'serverless.yml'));
  for (const file of await readdir(join(root, 'infra')))
    if (file.endsWith('.yml')) await cp(join(root, 'infra', file), join(folder, 'infra', file));
  await bundleAll(join(folder, 'dist'));
  return osls(folder, account, 'deploy', settings);
};

/** Removes the stack again. Gives what osls said. */
export const remove = (folder: string, account: Account, settings: StageSettings): Promise<string> =>
  osls(folder, account, 'remove', settings);

/** What the account has; the functions' code is unpacked into `folder`. */
export const lookAt = async (account: Account, stack: string, folder: string): Promise<Deployed> => {
  const { stdout } = await run(account.python, [report, account.endpoint, account.region, stack, folder], {
    timeout: deadlineMilliseconds,
    maxBuffer: 16 * 1024 * 1024,
  });
  return JSON.parse(stdout) as Deployed;
};
