/** Actions on queues as a whole: create, find, list, describe, change, purge, delete, tag. */

import type { NamedQueue } from './account.ts';
import { sqsError } from './errors.ts';
import { optionalNumber, optionalText, text, textList, textMap } from './input.ts';
import { quietPeriodMs, second, withinRange } from './limits.ts';
import { type Action, queueOf, queueUrl, type Service } from './service.ts';

const createQueue: Action = (service, input) => {
  const { name } = service.account.create(
    text(input, 'QueueName'),
    textMap(input, 'Attributes'),
    // The API model spells this one member in lower case.
    textMap(input, 'tags'),
  );
  return { QueueUrl: queueUrl(service, name) };
};

const deleteQueue: Action = (service, input) => {
  service.account.delete(queueOf(service, input));
  return {};
};

const getQueueUrl: Action = (service, input) => ({
  QueueUrl: queueUrl(service, service.account.byName(text(input, 'QueueName')).name),
});

/** Pages by name: the token is the last name of the page before. */
const page = (
  service: Service,
  names: readonly string[],
  input: Parameters<Action>[1],
): { readonly urls: readonly string[]; readonly NextToken?: string } => {
  const token = optionalText(input, 'NextToken');
  const max = optionalNumber(input, 'MaxResults');
  const rest = [...names]
    .sort()
    .filter((name) => token === undefined || name > Buffer.from(token, 'base64').toString());
  const shown = rest.slice(0, withinRange(max, 'MaxResults', 1, 1000) ?? 1000);
  const more = max !== undefined && rest.length > shown.length;
  return {
    urls: shown.map((name) => queueUrl(service, name)),
    ...(more && { NextToken: Buffer.from(shown.at(-1) ?? '').toString('base64') }),
  };
};

const listQueues: Action = (service, input) => {
  const prefix = optionalText(input, 'QueueNamePrefix') ?? '';
  const names = service.account.all().flatMap(({ name }) => (name.startsWith(prefix) ? [name] : []));
  const { urls, ...rest } = page(service, names, input);
  return { QueueUrls: urls, ...rest };
};

const listDeadLetterSourceQueues: Action = (service, input) => {
  const names = service.account.sourcesOf(queueOf(service, input).arn).map(({ name }) => name);
  const { urls, ...rest } = page(service, names, input);
  return { queueUrls: urls, ...rest };
};

/** Everything GetQueueAttributes can answer. */
const describedAttributes = (named: NamedQueue, now: number): Readonly<Record<string, string>> => {
  const { ready, inFlight, delayed } = named.queue.counts(now);
  return {
    ...named.attributes,
    QueueArn: named.arn,
    CreatedTimestamp: String(Math.floor(named.createdAt / second)),
    LastModifiedTimestamp: String(Math.floor(named.modifiedAt / second)),
    ApproximateNumberOfMessages: String(ready),
    ApproximateNumberOfMessagesNotVisible: String(inFlight),
    ApproximateNumberOfMessagesDelayed: String(delayed),
  };
};

const fifoOrOptional = /^(Fifo\w+|ContentBasedDeduplication|DeduplicationScope|Policy|Redrive\w*Policy|Kms\w+)$/;

const getQueueAttributes: Action = (service, input) => {
  const described = describedAttributes(queueOf(service, input), service.clock.now());
  const names = textList(input, 'AttributeNames');
  if (names.includes('All')) return { Attributes: described };
  const unknown = names.find((name) => described[name] === undefined && !fifoOrOptional.test(name));
  if (unknown !== undefined) throw sqsError('InvalidAttributeName', `Unknown Attribute ${unknown}.`);
  const asked = Object.entries(described).filter(([name]) => names.includes(name));
  return asked.length === 0 ? {} : { Attributes: Object.fromEntries(asked) };
};

const setQueueAttributes: Action = (service, input) => {
  service.account.change(queueOf(service, input), textMap(input, 'Attributes'));
  return {};
};

const purgeQueue: Action = (service, input) => {
  const named = queueOf(service, input);
  const now = service.clock.now();
  if (named.purgedAt !== undefined && now - named.purgedAt < quietPeriodMs) {
    throw sqsError(
      'PurgeQueueInProgress',
      `Only one PurgeQueue operation on ${named.name} is allowed every 60 seconds.`,
    );
  }
  named.purgedAt = now;
  named.queue.purge();
  return {};
};

const tagQueue: Action = (service, input) => {
  const named = queueOf(service, input);
  named.tags = { ...named.tags, ...textMap(input, 'Tags') };
  return {};
};

const untagQueue: Action = (service, input) => {
  const named = queueOf(service, input);
  const gone = textList(input, 'TagKeys');
  named.tags = Object.fromEntries(Object.entries(named.tags).filter(([key]) => !gone.includes(key)));
  return {};
};

const listQueueTags: Action = (service, input) => ({ Tags: queueOf(service, input).tags });

export const queueActions: Readonly<Record<string, Action>> = {
  CreateQueue: createQueue,
  DeleteQueue: deleteQueue,
  GetQueueUrl: getQueueUrl,
  ListQueues: listQueues,
  ListDeadLetterSourceQueues: listDeadLetterSourceQueues,
  GetQueueAttributes: getQueueAttributes,
  SetQueueAttributes: setQueueAttributes,
  PurgeQueue: purgeQueue,
  TagQueue: tagQueue,
  UntagQueue: untagQueue,
  ListQueueTags: listQueueTags,
};
