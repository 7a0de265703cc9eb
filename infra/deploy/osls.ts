/** Runs osls on serverless.yml with a stage's parameters. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ExpectedError } from '../../lib/errors/expected.ts';
import { parametersOf } from '../settings/parameters.ts';
import type { StageSettings } from '../settings/schema.ts';

/** Its program. */
export const oslsProgram = fileURLToPath(import.meta.resolve('osls/bin/serverless.js'));

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What osls is told beside its own environment: where parameters are, and the name that no parameter may give (`service` is read before them). */
export const oslsEnvironment = (parameters: string, { prefix }: Pick<StageSettings, 'prefix'>) => ({
  KPACKLESS_PARAMETERS: parameters,
  KPACKLESS_PREFIX: prefix,
  SLS_TRACKING_DISABLED: '1',
  SLS_NOTIFICATIONS_MODE: 'off',
});

/** Runs one of its commands to its end, in `folder`; what it says goes where ours goes. @throws ExpectedError when it fails */
export const osls = async (
  command: readonly string[],
  stage: string,
  settings: StageSettings,
  folder = root,
): Promise<void> => {
  const made = await mkdtemp(join(tmpdir(), 'kpackless-parameters-'));
  const parameters = join(made, 'parameters.json');
  try {
    await writeFile(parameters, JSON.stringify(parametersOf(settings), undefined, 2));
    const child = spawn(process.execPath, [oslsProgram, ...command, '--stage', stage, '--region', settings.region], {
      cwd: folder,
      env: { ...process.env, ...oslsEnvironment(parameters, settings) },
      stdio: 'inherit',
    });
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', resolve);
    });
    if (code !== 0)
      throw new ExpectedError(`osls ${command.join(' ')} ended with ${code ?? 'a signal'}; it says above why`);
  } finally {
    await rm(made, { recursive: true, force: true });
  }
};
