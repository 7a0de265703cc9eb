/** The quotas of SQS and the rules that check one value against them (spec 06 §1, §3). */

import { invalidParameter, invalidValue, sqsError } from './errors.ts';

export const second = 1000;
/** Entries of a batch and messages of one receive. */
export const maxBatchEntries = 10;
/** Largest message, and largest sum of a batch, in bytes. */
export const maxPayloadBytes = 1024 * 1024;
/** Messages received and neither deleted nor visible again, per queue. */
export const maxInFlight = 120_000;
/** Longest visibility, also counted from the receive over all extensions, in seconds. */
export const maxVisibilitySeconds = 43_200;
export const maxWaitSeconds = 20;
export const maxDelaySeconds = 900;
/** How long a deduplication id, and a receive attempt id, is remembered. */
export const deduplicationWindowMs = 300 * second;
/** Purging twice, and creating a name just deleted, have to wait this long. */
export const quietPeriodMs = 60 * second;
export const maxMessageAttributes = 10;
/** Move tasks kept for listing, per source. */
export const maxListedTasks = 10;

const batchId = /^[\w-]{1,80}$/;
const identifier = /^[\w!"#$%&'()*+,\-./:;<=>?@[\\\]^`{|}~]{1,128}$/;
const queueName = /^[\w-]{1,80}$/;
// eslint-disable-next-line no-control-regex
const refusedCharacter = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u;

/** The value when inside the range; undefined stays undefined. */
export const withinRange = (
  value: number | undefined,
  parameter: string,
  least: number,
  most: number,
): number | undefined => {
  if (value === undefined || (Number.isInteger(value) && value >= least && value <= most)) return value;
  throw invalidValue(value, parameter, `Must be between ${least} and ${most}, if provided.`);
};

/** Batches have one to ten entries with distinct, well-formed ids. */
export const checkBatch = (ids: readonly string[], entryName: string): void => {
  if (ids.length === 0)
    throw sqsError('EmptyBatchRequest', `There should be at least one ${entryName} in the request.`);
  if (ids.length > maxBatchEntries) {
    throw sqsError(
      'TooManyEntriesInBatchRequest',
      `Maximum number of entries per request are ${maxBatchEntries}. You have sent ${ids.length}.`,
    );
  }
  const seen = new Set<string>();
  for (const id of ids) {
    if (!batchId.test(id)) {
      const rule =
        'A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.';
      throw sqsError('InvalidBatchEntryId', rule);
    }
    if (seen.has(id)) throw sqsError('BatchEntryIdsNotDistinct', `Id ${id} repeated.`);
    seen.add(id);
  }
};

/** Group and deduplication ids: 1 to 128 alphanumeric and punctuation characters. */
export const checkIdentifier = (value: string, parameter: string): string => {
  if (identifier.test(value)) return value;
  const rule = `${parameter} can only include alphanumeric and punctuation characters. 1 to 128 in length.`;
  throw invalidValue(value, parameter, rule);
};

/** Names end in `.fifo` exactly when the queue is one; 80 characters with the suffix. */
export const checkQueueName = (name: string, fifo: boolean): void => {
  const stem = fifo && name.endsWith('.fifo') ? name.slice(0, -'.fifo'.length) : name;
  if (fifo && stem === name) {
    throw invalidParameter(
      'The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length.',
    );
  }
  if (name.length > 80 || !queueName.test(stem)) {
    throw invalidParameter('Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length.');
  }
};

/** Bodies are XML text: no control characters but tab, line feed and carriage return, no lone surrogates. */
export const checkCharacters = (body: string): void => {
  if (body.isWellFormed() && !refusedCharacter.test(body)) return;
  throw sqsError(
    'InvalidMessageContents',
    'Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF.',
  );
};
