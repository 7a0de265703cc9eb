/**
 * A process that stands for a large cluster and for SQS, beside the relay that is measured: an API server that makes up its lists while it
 * writes them, and emits events at a rate; an SQS that counts, and knows how long each event took. Talks to its parent by messages.
 * Does: lists in pages, watches from now on, SendMessageBatch. Does not: keep anything, check anything, answer for other kinds.
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** What it is asked; it answers each with one message. */
export type LargeClusterRequest =
  /** How many of each plural there are, how large, and whether watches begin with 410. */
  | { readonly set: { readonly counts?: Readonly<Record<string, number>>; readonly bytes?: number } }
  /** Emits so many MODIFIED events a second of one plural for so long, waits until each has come by SQS, and says how long they took. */
  | { readonly emit: { readonly plural: string; readonly perSecond: number; readonly seconds: number } }
  /** Ends every watch with 410, as a restarted API server does. */
  | { readonly expire: true }
  | { readonly look: true };

/** What it has counted. */
export interface LargeClusterAnswer {
  /** Messages by queue, since the last look. */
  readonly messages: Readonly<Record<string, number>>;
  readonly lists: number;
  readonly watches: number;
  /** Seconds from an event to its message. */
  readonly seconds?: { readonly median: number; readonly p99: number; readonly most: number; readonly missing: number };
}

const owners: Readonly<Record<string, readonly [kind: string, name: (index: number) => string]>> = {
  builds: ['Image', (index) => `image-${String(index % 10_000).padStart(6, '0')}`],
  sourceresolvers: ['Image', (index) => `image-${String(index).padStart(6, '0')}`],
  pods: ['Build', (index) => `build-${String(index).padStart(6, '0')}`],
};

const state: { counts: Readonly<Record<string, number>>; bytes: number } = { counts: {}, bytes: 0 };
let version = 1_000_000;
let note = '';
let messages: Record<string, number> = {};
let lists = 0;
let watches = 0;
const open = new Set<{ readonly plural: string; readonly response: ServerResponse }>();
const sentAt = new Map<string, number>();
const took: number[] = [];

const metadataOf = (plural: string, index: number, resourceVersion: number): object => {
  const singular = plural.slice(0, -1);
  const owner = owners[plural];
  return {
    name: `${singular}-${String(index).padStart(6, '0')}`,
    namespace: 'team',
    uid: `${singular}-${index}-aaaa-bbbb-cccc-dddddddddddd`,
    resourceVersion: String(resourceVersion),
    generation: 1,
    creationTimestamp: '2026-01-01T00:00:00Z',
    ...(owner === undefined
      ? {}
      : {
          ownerReferences: [
            { apiVersion: 'kpack.io/v1alpha2', kind: owner[0], name: owner[1](index), uid: 'u', controller: true },
          ],
        }),
    ...(note === '' ? {} : { annotations: { note } }),
    managedFields: [
      { manager: 'kpackless', operation: 'Update', apiVersion: 'v1', fieldsV1: { 'f:status': { 'f:conditions': {} } } },
    ],
  };
};

const list = async (plural: string, query: URLSearchParams, response: ServerResponse): Promise<void> => {
  lists += 1;
  const count = state.counts[plural] ?? 0;
  const start = Number(query.get('continue') ?? 0);
  const end = Math.min(count, start + Number(query.get('limit')));
  response.writeHead(200, { 'content-type': 'application/json' });
  const token = end < count ? `,"continue":"${end}"` : '';
  const kind = plural === 'namespaces' ? 'NamespaceList' : 'PartialObjectMetadataList';
  response.write(`{"kind":"${kind}","metadata":{"resourceVersion":"${version}"${token}},"items":[`);
  for (let index = start; index < end; index += 1) {
    const item = JSON.stringify({ metadata: metadataOf(plural, index, 1000 + index) });
    if (!response.write(index === start ? item : `,${item}`) && !response.destroyed)
      await new Promise<void>((resolve) => {
        const go = (): void => {
          response.off('drain', go).off('close', go);
          resolve();
        };
        response.on('drain', go).on('close', go);
      });
  }
  response.end(']}');
};

const readBody = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
};

const takeMessages = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const { QueueUrl, Entries } = JSON.parse(await readBody(request)) as {
    readonly QueueUrl: string;
    readonly Entries: readonly { readonly Id: string; readonly MessageBody: string }[];
  };
  const queue = QueueUrl.slice(QueueUrl.lastIndexOf('-') + 1);
  messages[queue] = (messages[queue] ?? 0) + Entries.length;
  const now = performance.now();
  for (const { MessageBody } of Entries) {
    const of = /"resourceVersion":"(\d+)"/.exec(MessageBody)?.[1] ?? '';
    const at = sentAt.get(of);
    if (at === undefined) continue;
    took.push(now - at);
    sentAt.delete(of);
  }
  const Successful = Entries.map(({ Id, MessageBody }) => ({
    Id,
    MessageId: 'm',
    MD5OfMessageBody: createHash('md5').update(MessageBody).digest('hex'),
  }));
  // About what a call takes within a region.
  await sleep(10);
  response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify({ Successful }));
};

const server = createServer((request, response) => {
  if (request.method === 'POST') return void takeMessages(request, response);
  const url = new URL(request.url ?? '', 'http://x');
  const plural = url.pathname.split('/').at(-1) ?? '';
  if (url.searchParams.get('watch') !== 'true') return void list(plural, url.searchParams, response);
  watches += 1;
  response.writeHead(200, { 'content-type': 'application/json' });
  response.flushHeaders();
  const held = { plural, response };
  open.add(held);
  response.on('close', () => open.delete(held));
  const end = setTimeout(
    () => {
      response.end(
        `${JSON.stringify({ type: 'BOOKMARK', object: { metadata: { resourceVersion: String(version) } } })}\n`,
      );
    },
    Number(url.searchParams.get('timeoutSeconds')) * 1000 - 2000,
  );
  response.on('close', () => clearTimeout(end));
});

const emit = async (plural: string, perSecond: number, seconds: number): Promise<LargeClusterAnswer['seconds']> => {
  took.length = 0;
  const count = state.counts[plural] ?? 1;
  const startedAt = performance.now();
  for (let emitted = 0; emitted < perSecond * seconds; ) {
    const due = Math.min(perSecond * seconds, Math.floor(((performance.now() - startedAt) / 1000) * perSecond));
    let text = '';
    for (; emitted < due; emitted += 1) {
      version += 1;
      sentAt.set(String(version), performance.now());
      text += `${JSON.stringify({ type: 'MODIFIED', object: { kind: 'PartialObjectMetadata', metadata: metadataOf(plural, emitted % count, version) } })}\n`;
    }
    if (text !== '') for (const held of open) if (held.plural === plural) held.response.write(text);
    await sleep(5);
  }
  for (let waited = 0; sentAt.size > 0 && waited < 30_000; waited += 50) await sleep(50);
  const sorted = took.toSorted((a, b) => a - b);
  const at = (part: number): number =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0) / 1000;
  const missing = sentAt.size;
  sentAt.clear();
  return { median: at(0.5), p99: at(0.99), most: at(1), missing };
};

const answer = async (asked: LargeClusterRequest): Promise<LargeClusterAnswer> => {
  if ('set' in asked) {
    Object.assign(state, asked.set);
    note = 'x'.repeat(state.bytes);
  }
  if ('expire' in asked)
    for (const { response } of open)
      response.end(
        `${JSON.stringify({ type: 'ERROR', object: { code: 410, reason: 'Expired', message: 'too old' } })}\n`,
      );
  const seconds = 'emit' in asked ? await emit(asked.emit.plural, asked.emit.perSecond, asked.emit.seconds) : undefined;
  const counted = { messages, lists, watches, ...(seconds === undefined ? {} : { seconds }) };
  [messages, lists, watches] = [{}, 0, 0];
  return counted;
};

process.on('message', (asked: LargeClusterRequest) => void answer(asked).then((said) => process.send?.(said)));
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.(typeof address === 'object' ? address?.port : 0);
});
