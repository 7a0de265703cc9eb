/** Receipt handles: opaque to clients, and enough for us to find the message and know which receive they belong to. */

import { sqsError } from './errors.ts';

export interface Receipt {
  readonly messageId: string;
  /** Names one receive of that message. */
  readonly receipt: string;
}

/** The handle given to the receiver. `queueTag` is new for every queue, so a handle never fits another one. */
export const receiptHandle = (queueTag: string, { messageId, receipt }: Receipt): string =>
  Buffer.from(`${queueTag} ${messageId} ${receipt}`).toString('base64');

/** Reads a handle back; throws ReceiptHandleIsInvalid for anything this queue did not give out. */
export const parseReceiptHandle = (queueTag: string, handle: string): Receipt => {
  const [tag, messageId, receipt, ...rest] = Buffer.from(handle, 'base64').toString().split(' ');
  if (tag !== queueTag || messageId === undefined || receipt === undefined || rest.length > 0) {
    throw sqsError(
      'ReceiptHandleIsInvalid',
      `The input receipt handle "${handle.slice(0, 100)}" is not a valid receipt handle.`,
    );
  }
  return { messageId, receipt };
};
