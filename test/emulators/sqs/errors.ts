/** The errors of SQS by the names the SDK knows, with the code its query-compatible header carries (spec 06 §1). */

/** A refusal that becomes an error response, or one failed entry of a batch. */
export class SqsError extends Error {
  override readonly name = 'SqsError';
  /** Shape name in `__type`, with its namespace. */
  readonly shape: string;
  /** Code in `x-amzn-query-error`, which is what SDKs report as the error's code. */
  readonly code: string;

  constructor(shape: string, code: string, message: string) {
    super(message);
    this.shape = shape;
    this.code = code;
  }
}

/** Shapes whose code carries the old prefix; the others are spelled alike in both worlds. */
const codes = {
  QueueDoesNotExist: 'AWS.SimpleQueueService.NonExistentQueue',
  QueueNameExists: 'QueueAlreadyExists',
  QueueDeletedRecently: 'AWS.SimpleQueueService.QueueDeletedRecently',
  PurgeQueueInProgress: 'AWS.SimpleQueueService.PurgeQueueInProgress',
  MessageNotInflight: 'AWS.SimpleQueueService.MessageNotInflight',
  EmptyBatchRequest: 'AWS.SimpleQueueService.EmptyBatchRequest',
  TooManyEntriesInBatchRequest: 'AWS.SimpleQueueService.TooManyEntriesInBatchRequest',
  BatchEntryIdsNotDistinct: 'AWS.SimpleQueueService.BatchEntryIdsNotDistinct',
  BatchRequestTooLong: 'AWS.SimpleQueueService.BatchRequestTooLong',
  InvalidBatchEntryId: 'AWS.SimpleQueueService.InvalidBatchEntryId',
  UnsupportedOperation: 'AWS.SimpleQueueService.UnsupportedOperation',
  ReceiptHandleIsInvalid: 'ReceiptHandleIsInvalid',
  InvalidMessageContents: 'InvalidMessageContents',
  InvalidAttributeName: 'InvalidAttributeName',
  InvalidAttributeValue: 'InvalidAttributeValue',
  ResourceNotFoundException: 'ResourceNotFoundException',
  OverLimit: 'OverLimit',
} as const;

/** An error the service model names. */
export const sqsError = (shape: keyof typeof codes, message: string): SqsError =>
  new SqsError(`com.amazonaws.sqs#${shape}`, codes[shape], message);

/** A value outside its range or unusable here; not in the service model, so the SDK throws its base exception. */
export const invalidParameter = (message: string): SqsError =>
  new SqsError('com.amazon.coral.service#InvalidParameterValueException', 'InvalidParameterValue', message);

/** `invalidParameter` in the sentence AWS uses for a named parameter. */
export const invalidValue = (value: string | number, parameter: string, reason: string): SqsError =>
  invalidParameter(`Value ${value} for parameter ${parameter} is invalid. Reason: ${reason}`);

export const missingParameter = (parameter: string): SqsError =>
  new SqsError(
    'com.amazon.coral.service#MissingRequiredParameterException',
    'MissingParameter',
    `The request must contain the parameter ${parameter}.`,
  );

/** The body is not what the protocol says: not JSON, or a member of another type. */
export const malformedRequest = (message: string): SqsError =>
  new SqsError('com.amazon.coral.service#SerializationException', 'MalformedInput', message);

export const unknownAction = (target: string): SqsError =>
  new SqsError(
    'com.amazon.coral.service#UnknownOperationException',
    'InvalidAction',
    `The action ${target} is not valid for this endpoint.`,
  );

export const noSuchQueue = (): SqsError => sqsError('QueueDoesNotExist', 'The specified queue does not exist.');
