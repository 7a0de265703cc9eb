/** A sweep in a process of its own, with the SDK's clients: says what processor time it took, in milliseconds. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import { sqsSender } from '../../lib/queue/sqs-sender.ts';
import { DynamoDbTable } from '../../lib/state/dynamodb-table.ts';
import { Records } from '../../lib/state/records.ts';
import { sweep } from '../../lib/sweeper/sweep.ts';

const [, , endpoint = ''] = process.argv;
const service = {
  endpoint,
  region: 'eu-central-1',
  credentials: { accessKeyId: 'AKIDBENCH', secretAccessKey: 'bench' },
};
const records = new Records(new DynamoDbTable(new DynamoDBClient(service), 'kpackless'));
const sender = sqsSender(new SQSClient({ ...service, md5: false }), (queue) => `${endpoint}/1/${queue}.fifo`);
const before = process.cpuUsage();
const { sent, failures } = await sweep(
  { records, circuits: { isDown: async () => false }, sender },
  2_000_000_000,
  () => true,
);
const { user, system } = process.cpuUsage(before);
if (failures.length > 0) throw failures[0];
process.send?.({ sent, milliseconds: (user + system) / 1000, megabytes: process.memoryUsage().rss / 1e6 });
process.disconnect();
