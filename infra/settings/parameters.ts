/** What serverless.yml is given of a stage's settings: its `${param:…}`. */
import { concurrencies, maxReceivesIn } from '../../lib/reconcile/concurrency.ts';
import { functionSettingNames, type StageSettings } from './schema.ts';

/** `cluster-builder` as it begins a parameter's name: `clusterBuilder`. */
export const camelCase = (name: string): string =>
  name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** The parameters. What is not set is left out: serverless.yml says then what holds. */
export const parametersOf = (settings: StageSettings): Readonly<Record<string, unknown>> => {
  const { vpc, tags, readRepositories, writeRepositories } = settings;
  const given = settings as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    Object.entries({
      ...Object.fromEntries(functionSettingNames.map((name) => [name, given[name]])),
      ...Object.fromEntries(
        [...concurrencies(settings.accountConcurrency)].map(([name, most]) => [`${camelCase(name)}Concurrency`, most]),
      ),
      maxReceiveCount: maxReceivesIn(settings.accountConcurrency),
      stepImage: settings.stepImage,
      accountConcurrency: settings.accountConcurrency,
      hooks: settings.hooks ? 'on' : 'off',
      hooksReservedConcurrency: settings.hooksReservedConcurrency,
      table: settings.table,
      tableProtection: settings.tableProtection,
      logRetentionDays: settings.logRetentionDays,
      vpc: vpc && { subnetIds: vpc.subnets, securityGroupIds: vpc.securityGroups },
      inVpc: vpc && 'yes',
      permissionsBoundary: settings.permissionsBoundary,
      kmsKey: settings.kmsKey,
      tags,
      readRepositories: readRepositories?.join(','),
      writeRepositories: writeRepositories?.join(','),
    }).filter(([, value]) => value !== undefined && value !== ''),
  );
};
