/**
 * Where an independent implementation differs from AWS: the checks it is known to fail, and on what we rest the check. `API` is
 * the API reference's page of the action, `guide` the developer guide.
 */

type Deviations = Readonly<Record<string, string>>;

/** moto 5.2.5. */
export const motoDeviations: Deviations = {
  'what was not deleted in time is received again in order, before what came later':
    'puts an expired message behind its group; guide, FIFO delivery logic, says order holds over retries',
  'an expired receipt handle no longer deletes from a FIFO queue': 'accepts any handle; API DeleteMessage',
  'a repeated receive attempt gets the same messages and handles': 'ignores the attempt id; API ReceiveMessage',
  'a repeated deduplication id is accepted under the first id and sequence number, and not delivered':
    'makes up a new id; guide, exactly-once processing',
  'a deduplication id is remembered after its message was deleted': 'looks at living messages only; API SendMessage',
  'with scope messageGroup the same id may be used once in every group':
    'ignores DeduplicationScope; API SetQueueAttributes',
  'throughput per message group needs deduplication per message group':
    'does not compare the two; API SetQueueAttributes',
  'group and deduplication ids have at most 128 characters': 'does not check the group; API SendMessage',
  'the visibility of a message that is not in flight cannot be changed':
    'changes it all the same; API ChangeMessageVisibility',
  'a long poll answers as soon as a group is freed': 'its poll does not look again; guide, long polling',
  'a message received too often goes to the dead-letter queue and names its source':
    'omits DeadLetterQueueSourceArn; API ReceiveMessage',
  'a FIFO queue needs a FIFO dead-letter queue': 'refuses under another code',
  'a standard queue needs a standard dead-letter queue': 'checks FIFO sources only; API SetQueueAttributes',
  'a dead-letter queue has to exist': 'refuses under another code',
  'a policy that allows one receive to a thousand is demanded': 'checks no range; API SetQueueAttributes',
  'a dead-letter queue may refuse every source': 'ignores RedriveAllowPolicy; API SetQueueAttributes',
  'a move task brings messages back where they came from, as new ones': 'has no move tasks',
  'a move task keeps FIFO messages in their groups and in order': 'has no move tasks',
  'a move task may have another destination': 'has no move tasks',
  'one task runs at a time, shows its handle while it runs, and can be cancelled': 'has no move tasks',
  'only a dead-letter queue can be redriven': 'has no move tasks',
  'a refused entry fails alone': 'one refused entry fails the batch; API SendMessageBatch',
  'a queue may allow less, and attributes count': 'counts the body only; guide, message quotas',
  'attributes out of range or unknown are refused': 'checks few ranges; API SetQueueAttributes',
  'a received message tells when, how often, by whom, and its place in the group':
    'its sequence numbers are random; API SendMessage says they increase',
  'a message has at most ten attributes': 'does not count; guide, message metadata',
  'a message is not empty': 'accepts it; API SendMessage says at least one character',
  'control characters are refused, all other text arrives as it was': 'accepts them; API SendMessage',
};

const strictCodes = 'refuses under InvalidAttributeValue, whatever was wrong';

/** ElasticMQ 1.6.16 with strict limits. */
export const elasticMqDeviations: Deviations = {
  'an expired receipt handle no longer deletes from a FIFO queue': 'accepts any handle; API DeleteMessage',
  'a repeated receive attempt gets the same messages and handles':
    'replays the messages under new handles; API ReceiveMessage says the same handles',
  'with scope messageGroup the same id may be used once in every group':
    'ignores DeduplicationScope; API SetQueueAttributes',
  'throughput per message group needs deduplication per message group': 'does not know the two; API SetQueueAttributes',
  'the name of a FIFO queue ends in .fifo': 'refuses under another code',
  'visibility beyond twelve hours is refused': 'checks no range here; API ChangeMessageVisibility',
  'twelve hours count from the receive, not from the extension': 'checks no range here; API ChangeMessageVisibility',
  'the visibility of a message that is not in flight cannot be changed':
    'changes it all the same; API ChangeMessageVisibility',
  'deleting twice is not an error': 'forgets the handle with the message; guide says deleting again succeeds',
  'a FIFO queue needs a FIFO dead-letter queue': 'does not compare; API SetQueueAttributes',
  'a standard queue needs a standard dead-letter queue': 'does not compare; API SetQueueAttributes',
  'a dead-letter queue has to exist': 'refuses under another code',
  'a policy that allows one receive to a thousand is demanded': strictCodes,
  'a dead-letter queue may refuse every source': 'ignores RedriveAllowPolicy; API SetQueueAttributes',
  'a move task brings messages back where they came from, as new ones':
    'keeps the id; guide, redrive, says a moved message is new',
  'a move task keeps FIFO messages in their groups and in order': 'loses FIFO messages on the way',
  'one task runs at a time, shows its handle while it runs, and can be cancelled': 'cancelled tasks are not listed',
  'only a dead-letter queue can be redriven': 'fails without a parsable answer',
  'a batch has at least one entry': 'accepts it; API SendMessageBatch',
  'the ids of a batch are words': 'accepts any; API SendMessageBatchRequestEntry',
  'a batch has at most one mebibyte in all': strictCodes,
  'a message may have one mebibyte and no byte more': 'has no MaximumMessageSize; guide, message quotas',
  'a queue may allow less, and attributes count': 'has no MaximumMessageSize; API SetQueueAttributes',
  'a receive brings at most ten': strictCodes,
  'queues are listed by prefix and in pages': 'does not page; API ListQueues',
  'attributes out of range or unknown are refused': 'checks few ranges; API SetQueueAttributes',
  'a new queue has the documented defaults': 'knows fewer attributes; API GetQueueAttributes',
  'a purge takes everything, and once a minute only': 'purges at any time; API PurgeQueue',
  'message attributes may be asked for by name and by prefix': 'does not know prefixes; API ReceiveMessage',
  'a message has at most ten attributes': strictCodes,
  'a message is not empty': strictCodes,
  'control characters are refused, all other text arrives as it was': strictCodes,
};
