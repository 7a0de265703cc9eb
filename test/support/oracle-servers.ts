/** The independent implementations of SQS and DynamoDB that ours are compared with (DESIGN §3.19). */

import { join } from 'node:path';
import { jarsOf, pythonWith } from './oracle-install.ts';
import { type MissingOracle, oracle, type RunningOracle, runOracle } from './oracle-process.ts';

type Found = Promise<RunningOracle | MissingOracle>;

/** moto: SQS and DynamoDB in Python. */
export const startMoto = async (): Found =>
  oracle('moto', async () => {
    const python = await pythonWith('oracle-moto.requirements.txt');
    return runOracle(python, (port) => ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)]);
  });

/** moto with all that a deployment needs: CloudFormation, IAM, Lambda, S3, STS and the rest; `python` runs programs beside it. */
export const startEmulatedAccount = async (): Promise<
  (RunningOracle & { readonly python: string }) | MissingOracle
> => {
  let python = '';
  const server = await oracle('the emulated account', async () => {
    python = await pythonWith('oracle-account.requirements.txt');
    const program = join(import.meta.dirname, '..', 'account', 'moto_server.py');
    return runOracle(python, (port) => [program, '-H', '127.0.0.1', '-p', String(port)]);
  });
  return 'missing' in server ? server : { ...server, python };
};

/** ElasticMQ: SQS in Scala, with AWS's limits switched on. */
export const startElasticMq = async (): Found =>
  oracle('ElasticMQ', async () => {
    const jars = await jarsOf('oracle-elasticmq.pom.xml');
    const options = (port: number) => ({
      'node-address.host': '127.0.0.1',
      'node-address.port': port,
      'rest-sqs.bind-hostname': '127.0.0.1',
      'rest-sqs.bind-port': port,
      'rest-sqs.sqs-limits': 'strict',
      'rest-stats.enabled': false,
      // One of its bugs leaves a request unanswered; no check polls longer than 6 s.
      'pekko.http.server.request-timeout': '8s',
    });
    return runOracle('java', (port) => [
      '-Xmx256m',
      ...Object.entries(options(port)).map(([name, value]) => `-D${name}=${value}`),
      '-cp',
      join(jars, '*'),
      'org.elasticmq.server.Main',
    ]);
  });

/** JGit: git in Java, which Gerrit and others serve repositories with; here those of a folder over http. */
export const startJGit = async (root: string): Found =>
  oracle('JGit', async () => {
    const jars = await jarsOf('oracle-jgit.pom.xml');
    const program = join(import.meta.dirname, 'oracle-jgit.java');
    return runOracle('java', (port) => ['-Xmx128m', '-cp', join(jars, '*'), program, root, String(port)]);
  });

/** DynamoDB Local: AWS's own, in memory. */
export const startDynamoDbLocal = async (): Found =>
  oracle('DynamoDB Local', async () => {
    const jars = await jarsOf('oracle-dynamodb-local.pom.xml');
    return runOracle('java', (port) => [
      '-Xmx256m',
      `-Djava.library.path=${jars}`,
      '-cp',
      join(jars, '*'),
      'com.amazonaws.services.dynamodbv2.local.main.ServerRunner',
      '-inMemory',
      '-disableTelemetry',
      '-port',
      String(port),
    ]);
  });
