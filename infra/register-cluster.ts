/** `npm run register`: tells the functions on AWS how to reach an EKS cluster. Nothing secret is written. */
import { parseArgs } from 'node:util';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { grantForm, parseGrant } from '../lib/clusters/grant-text.ts';
import { PermanentError } from '../lib/errors/expected.ts';
import { accessTo } from '../lib/kube/access.ts';
import { askSupport, type ServerSupport } from '../lib/kube/server-version.ts';
import { kubeTransport } from '../lib/kube/transport.ts';
import { Clusters, type Registration } from '../lib/state/clusters.ts';
import { DynamoDbTable } from '../lib/state/dynamodb-table.ts';

const usage =
  'npm run register -- NAME --eks EKS-NAME --region REGION --role ARN --server https://… --ca-data BASE64 [--grant GRANT]… [--relay-role-id AROA…] [--requests-per-second N [--burst N]] [--table kpackless-prod]; a GRANT is: ' +
  grantForm;

const mostGrants = 200;

/** A whole number from 1 to 100,000, as somebody typed it; undefined when it is none. */
const countIn = (given: string): number | undefined => {
  const count = /^\d{1,6}$/.test(given) ? Number(given) : 0;
  return count >= 1 && count <= 100_000 ? count : undefined;
};

/** The rate that each process may ask the cluster at; as many at once as in a second unless it is said. @throws what `invalid` makes */
const rateIn = (
  perSecond: string | undefined,
  burst: string | undefined,
  invalid: (why: string) => PermanentError,
): Registration['rate'] => {
  if (perSecond === undefined && burst !== undefined) throw invalid('--burst goes with --requests-per-second');
  if (perSecond === undefined) return undefined;
  const [each, atOnce] = [countIn(perSecond), countIn(burst ?? perSecond)];
  if (each === undefined || atOnce === undefined)
    throw invalid('--requests-per-second and --burst are whole numbers from 1 to 100000');
  return { perSecond: each, burst: atOnce };
};

/** What the command line asks for. */
export interface RegisterOptions {
  readonly cluster: string;
  readonly table: string;
  readonly registration: Registration;
}

/** Reads the arguments. @throws PermanentError with one sentence */
export const registerOptions = (args: readonly string[]): RegisterOptions => {
  const invalid = (why: string): PermanentError => new PermanentError('Usage', `${why}; use: ${usage}`);
  const text = { type: 'string' } as const;
  const { values, positionals } = parseArgs({
    args: [...args],
    options: {
      eks: text,
      region: text,
      role: text,
      server: text,
      'ca-data': text,
      grant: { ...text, multiple: true },
      'relay-role-id': text,
      'requests-per-second': text,
      burst: text,
      table: text,
    },
    allowPositionals: true,
  });
  const [cluster, ...more] = positionals;
  if (cluster === undefined || more.length > 0) throw invalid('give one name for the cluster');
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(cluster))
    throw invalid(`${cluster} is no name for a cluster: letters, digits, dot, dash, underscore, at most 100`);
  const { eks: eksName, region, role: roleArn, server, 'ca-data': caData, table = 'kpackless-prod' } = values;
  if (eksName === undefined || region === undefined || server === undefined || caData === undefined)
    throw invalid('--eks, --region, --server and --ca-data are needed; aws eks describe-cluster says them');
  if (roleArn !== undefined && !/^arn:aws[a-z-]*:iam::\d{12}:role\/\S+$/.test(roleArn))
    throw invalid(`${roleArn} is no ARN of a role`);
  if (!URL.canParse(server) || new URL(server).protocol !== 'https:') throw invalid(`${server} is no https address`);
  if (!Buffer.from(caData, 'base64').toString().includes('BEGIN CERTIFICATE'))
    throw invalid('--ca-data is no certificate in base64');
  const { 'relay-role-id': relayRoleId, grant: given = [] } = values;
  if (relayRoleId !== undefined && !/^AROA[A-Z0-9]{12,124}$/.test(relayRoleId))
    throw invalid(`${relayRoleId} is no unique id of a role: infra/relay-role.yml says it as RelayRoleId`);
  if (given.length > mostGrants) throw invalid(`--grant is taken ${mostGrants} times at most`);
  const grants = given.map(parseGrant);
  const rate = rateIn(values['requests-per-second'], values.burst, invalid);
  const registration = { access: 'eks', eksName, region, server, caData, roleArn } as const;
  return {
    cluster,
    table,
    registration: {
      ...registration,
      ...(grants.length > 0 && { grants }),
      ...(relayRoleId !== undefined && { relayRoleId }),
      ...(rate !== undefined && { rate }),
    },
  };
};

/** What the cluster says of itself to anybody. Where nobody but who has an access entry is answered, that says nothing. */
export const supportOf = async (registration: Registration): Promise<ServerSupport> => {
  if (registration.access !== 'eks') return { isSupported: true, note: undefined };
  const { server, caData } = registration;
  const { config } = accessTo({ name: 'cluster', server, caData, skipTLSVerify: false }, { name: 'anybody' });
  const transport = kubeTransport(config);
  try {
    return await askSupport(transport);
  } finally {
    transport.close();
  }
};

if (import.meta.main)
  try {
    const { cluster, table, registration } = registerOptions(process.argv.slice(2));
    const support = await supportOf(registration);
    if (!support.isSupported) throw new PermanentError('Refused', `${cluster} is not registered: ${support.why}`);
    if (support.note !== undefined) process.stderr.write(`npm run register: ${support.note}\n`);
    await new Clusters(new DynamoDbTable(new DynamoDBClient({}), table)).register(cluster, registration);
    process.stdout.write(`registered ${cluster}\n`);
  } catch (error) {
    process.stderr.write(`npm run register: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
