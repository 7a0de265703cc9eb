/** What a sweep talks to, as bare as can be: an index with much that is due, writes and queues that accept everything, each after its time. */
import { createServer, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { dueShardOf, dueShards, recordKey } from '../../lib/state/keys.ts';

/** What an answer takes, in milliseconds. */
const tableMilliseconds = 6;
const queueMilliseconds = 15;

interface Asked {
  readonly Limit?: number;
  readonly ExpressionAttributeValues?: { readonly ':shard'?: { readonly N: string } };
  readonly ExclusiveStartKey?: { readonly pk: { readonly S: string } };
  readonly Entries?: readonly { readonly Id: string }[];
}

/** Serves `many` Images of twenty clusters, due one after the other. */
export const serveDue = async (many: number) => {
  const shards: string[][] = Array.from({ length: dueShards }, () => []);
  for (let at = 0; at < many; at += 1) {
    const pk = recordKey({
      cluster: `prod-${at % 20}`,
      kind: 'Image',
      namespace: `team-${at % 50}`,
      name: `app-${at}`,
    });
    shards[dueShardOf(pk)]?.push(pk);
  }
  const counts = { sent: 0, moved: 0 };
  const page = ({ Limit = 0, ExpressionAttributeValues: values, ExclusiveStartKey: after }: Asked): object => {
    const shard = Number(values?.[':shard']?.N);
    const all = shards[shard] ?? [];
    const from = after === undefined ? 0 : all.indexOf(after.pk.S) + 1;
    const Items = all.slice(from, from + Limit).map((pk, at) => ({
      pk: { S: pk },
      sk: { S: 'record' },
      dueShard: { N: String(shard) },
      dueAt: { N: String(1000 + from + at) },
    }));
    return { Items, Count: Items.length };
  };
  const say = (response: ServerResponse, answer: object, milliseconds: number): void =>
    void setTimeout(() => response.end(JSON.stringify(answer)), milliseconds);

  const server = createServer((request, response) => {
    const serve = async (): Promise<void> => {
      const asked = JSON.parse(await text(request)) as Asked;
      const call = String(request.headers['x-amz-target']).split('.').at(-1);
      response.setHeader('content-type', 'application/x-amz-json-1.0');
      if (call === 'Query') return say(response, page(asked), tableMilliseconds);
      if (call !== 'SendMessageBatch') {
        counts.moved += 1;
        return say(response, {}, tableMilliseconds);
      }
      const { Entries = [] } = asked;
      counts.sent += Entries.length;
      const Successful = Entries.map(({ Id }) => ({ Id, MessageId: Id, MD5OfMessageBody: '' }));
      say(response, { Successful, Failed: [] }, queueMilliseconds);
    };
    void serve();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { endpoint: `http://127.0.0.1:${port}`, counts, close: () => server.close() };
};
