/** The CloudFormation template that osls makes of serverless.yml with some settings, without an account or network. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { bundleAll } from '../../infra/bundle.ts';
import { oslsEnvironment, oslsProgram } from '../../infra/deploy/osls.ts';
import { parametersOf } from '../../infra/settings/parameters.ts';
import { stageSettingsIn } from '../../infra/settings/read.ts';
import { sqsRows } from '../../lib/reconcile/kind-table.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const included = ['absent', 'alarms', 'dashboard', 'hooks', 'outputs', 'queues', 'roles', 'table'];

/** A resource of a template. */
export interface Resource {
  readonly Type: string;
  readonly Condition?: string;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
  readonly Properties: Readonly<Record<string, unknown>>;
}

/** As much of a template as is looked at. */
export interface Template {
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Conditions: Readonly<Record<string, unknown>>;
  readonly Outputs: Readonly<Record<string, { readonly Value: unknown }>>;
}

/** A folder in which templates can be made. */
export interface Packager {
  readonly folder: string;
  /** The template of a stage whose file says `settings`; and where it is. */
  template(stage: string, settings: string): Promise<{ readonly template: Template; readonly file: string }>;
  /** osls as somebody who knows nothing of stages would run it. */
  osls(...args: readonly string[]): Promise<{ readonly stdout: string; readonly stderr: string }>;
  remove(): Promise<void>;
}

/** Settings without which nothing is deployed. */
export const leastSettings = `region: eu-west-1\nstepImage: registry.invalid/steps@sha256:${'0'.repeat(64)}\n`;
/** Everything that can be asked for. */
export const allSettings = `${leastSettings}
prefix: acme-kpack
accountConcurrency: 400
hooks: true
hooksReservedConcurrency: 5
tableProtection: false
logRetentionDays: 30
vpc: { subnets: [subnet-0123456789abcdef0], securityGroups: [sg-0123456789abcdef0] }
permissionsBoundary: 'arn:aws:iam::123456789012:policy/boundary'
kmsKey: 'arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-0000-0000-000000000000'
tags: { team: platform }
readRepositories: ['arn:aws:ecr:eu-west-1:123456789012:repository/shared/*']
writeRepositories: ['arn:aws:ecr:eu-west-1:123456789012:repository/platform/*', 'arn:aws:ecr:eu-west-1:123456789012:repository/team-a/*']
buildLogArchive: my-bucket/builds
eventBus: 'arn:aws:events:eu-west-1:123456789012:event-bus/builds'
logLevel: warn
`;

/** With the real bundles, or with stubs where only the template counts. */
export const packager = async (bundles: 'bundles' | 'stubs'): Promise<Packager> => {
  const folder = await mkdtemp(join(tmpdir(), 'kpackless-package-'));
  for (const file of ['serverless.yml', ...included.map((name) => `infra/${name}.yml`)])
    await cp(join(root, file), join(folder, file));
  if (bundles === 'bundles') await bundleAll(join(folder, 'dist'));
  else
    for (const name of [...sqsRows.map(({ name }) => name), 'sweeper', 'hooks']) {
      await mkdir(join(folder, 'dist', name), { recursive: true });
      await writeFile(join(folder, 'dist', name, 'handler.mjs'), 'export const handler = () => undefined;\n');
    }
  // With no home and no AWS variables it can reach nobody's account.
  const run = (environment: Readonly<Record<string, string>>, ...args: readonly string[]) =>
    promisify(execFile)(process.execPath, [oslsProgram, 'package', ...args], {
      cwd: folder,
      env: { PATH: process.env['PATH'], HOME: folder, ...environment },
      timeout: 90_000,
    });
  return {
    folder,
    template: async (stage, text) => {
      const settings = stageSettingsIn(text, stage);
      const parameters = join(folder, `${stage}.json`);
      await writeFile(parameters, JSON.stringify(parametersOf(settings)));
      await run(oslsEnvironment(parameters, settings), '--stage', stage, '--region', settings.region);
      const made = join(folder, '.serverless/cloudformation-template-update-stack.json');
      const file = join(folder, `${stage}-template.json`);
      await cp(made, file);
      return { file, template: JSON.parse(await readFile(file, 'utf8')) as Template };
    },
    osls: (...args) => run({ SLS_TRACKING_DISABLED: '1', SLS_NOTIFICATIONS_MODE: 'off' }, ...args),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
};
