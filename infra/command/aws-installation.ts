/** An installation on AWS as a command sees it, as whoever calls the command. */
import { CloudWatchClient, GetMetricStatisticsCommand } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { ExpectedError } from '../../lib/errors/expected.ts';
import { networkCause } from '../../lib/errors/network-cause.ts';
import { sqsLetters } from '../../lib/queue/sqs-letters.ts';
import { dynamoDbScan } from '../../lib/state/dynamodb-scan.ts';
import { DynamoDbTable } from '../../lib/state/dynamodb-table.ts';
import { clientOptions } from './client-options.ts';
import { type Installation, namesOf, type Where } from './installation.ts';
import { passInLine } from './log-lines.ts';

const deadlineMilliseconds = 10_000;
/** CloudWatch has figures of SQS a few minutes late. */
const ageWindowMilliseconds = 15 * 60_000;
const logWindowMilliseconds = 24 * 3_600_000;
const mostPasses = 10;
/** Pages of log events that are looked through; each has up to 1 MB of lines that match. */
const mostLogPages = 20;

/** Opens it. Clients ask for credentials when they first send. @throws ExpectedError when there are none, or no region */
export const awsInstallation = async (where: Where, clock: () => Date): Promise<Installation> => {
  const options = clientOptions(where);
  const names = namesOf(where);
  // The address of a queue is its name; where SQS is asked is the region's affair, or whatever endpoint the environment names.
  const sqs = new SQSClient({ ...options, useQueueUrlAsEndpoint: false });
  const sts = new STSClient(options);
  const timed = () => ({ abortSignal: AbortSignal.timeout(deadlineMilliseconds) });
  let region: string;
  let account: string;
  try {
    region = await sqs.config.region();
    account = (await sts.send(new GetCallerIdentityCommand({}), timed())).Account ?? '';
  } catch (error) {
    throw new ExpectedError(
      `AWS does not say who you are: ${networkCause(error)}; give --region and --profile, or sign in (kpackless doctor says more)`,
      { cause: error },
    );
  }
  const suffix = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  const queueUrl = (queue: string): string =>
    `https://sqs.${region}.${suffix}/${account}/${names.queuePrefix}${queue}.fifo`;
  const dynamo = new DynamoDBClient(options);
  const cloudWatch = new CloudWatchClient(options);
  const logs = new CloudWatchLogsClient(options);

  const oldestSeconds = async (queue: string): Promise<number | undefined> => {
    const now = clock().getTime();
    const { Datapoints = [] } = await cloudWatch.send(
      new GetMetricStatisticsCommand({
        Namespace: 'AWS/SQS',
        MetricName: 'ApproximateAgeOfOldestMessage',
        Dimensions: [{ Name: 'QueueName', Value: `${names.queuePrefix}${queue}.fifo` }],
        StartTime: new Date(now - ageWindowMilliseconds),
        EndTime: new Date(now),
        Period: 60,
        Statistics: ['Maximum'],
      }),
      timed(),
    );
    const latest = Datapoints.toSorted((a, b) => (b.Timestamp?.getTime() ?? 0) - (a.Timestamp?.getTime() ?? 0))[0];
    return latest?.Maximum;
  };

  const letters = sqsLetters({ client: sqs, queueUrl, oldestSeconds });
  return {
    shown: `${names.stack} in ${region} of account ${account}`,
    isFile: false,
    table: new DynamoDbTable(dynamo, names.table),
    scan: dynamoDbScan(dynamo, names.table),
    depths: letters,
    letters,
    passes: async (target, queue) => {
      const found = [];
      let nextToken: string | undefined;
      const pattern = `{ $.cluster = ${JSON.stringify(target.cluster)} && $.kind = ${JSON.stringify(target.kind)} && $.namespace = ${JSON.stringify(target.namespace)} && $.name = ${JSON.stringify(target.name)} }`;
      try {
        for (let page = 0; page < mostLogPages; page += 1) {
          const answer = await logs.send(
            new FilterLogEventsCommand({
              logGroupName: `${names.logGroupPrefix}${queue}`,
              startTime: clock().getTime() - logWindowMilliseconds,
              filterPattern: pattern,
              nextToken,
            }),
            timed(),
          );
          for (const { message = '' } of answer.events ?? []) {
            const pass = passInLine(message, target);
            if (pass !== undefined) found.push(pass);
          }
          nextToken = answer.nextToken;
          if (nextToken === undefined) break;
        }
      } catch (error) {
        throw new ExpectedError(`the log of the passes cannot be read: ${networkCause(error)}`, { cause: error });
      }
      return found.toReversed().slice(0, mostPasses);
    },
    [Symbol.asyncDispose]: async () => {
      for (const client of [sqs, sts, dynamo, cloudWatch, logs]) client.destroy();
    },
  };
};
