/** A message as the queue keeps it. */

import { createHash } from 'node:crypto';

/** One value of MessageAttributes: String and Number as text, Binary as base64 the way the protocol carries it. */
export interface MessageAttribute {
  readonly dataType: string;
  readonly text?: string;
  readonly base64?: string;
}

export type MessageAttributes = Readonly<Record<string, MessageAttribute>>;

/** What a sender gives, after the queue's rules have been checked. */
export interface Draft {
  readonly body: string;
  readonly attributes: MessageAttributes;
  readonly traceHeader?: string | undefined;
  readonly senderId: string;
  readonly groupId?: string | undefined;
  readonly deduplicationId?: string | undefined;
  /** Whole seconds; only standard queues take it per message. */
  readonly delaySeconds?: number | undefined;
}

/** `delayed` and `inFlight` wake at `wakesAt`; `ready` may be handed out; `gone` has left this queue. */
export type MessageState = 'delayed' | 'ready' | 'inFlight' | 'gone';

/** Mutable on purpose: only `Queue` and its line touch the fields that change. */
export interface StoredMessage extends Draft {
  readonly id: string;
  readonly bodyMd5: string;
  readonly attributesMd5: string | undefined;
  readonly sizeBytes: number;
  /** Order of arrival in this queue. */
  readonly sequence: number;
  /** Milliseconds since the epoch; counts for retention. */
  readonly sentAt: number;
  /** ARN of the queue that gave the message up. */
  readonly deadLetteredFrom: string | undefined;
  state: MessageState;
  wakesAt: number;
  receiveCount: number;
  firstReceivedAt: number | undefined;
  lastReceivedAt: number;
  /** Changes at every receive; part of the receipt handle. */
  receipt: string;
}

export const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

/** Bytes that count against the limits: body plus names, types and values of the attributes. */
export const sizeOf = (body: string, attributes: MessageAttributes): number => {
  let bytes = Buffer.byteLength(body);
  for (const [name, { dataType, text, base64 }] of Object.entries(attributes)) {
    bytes += Buffer.byteLength(name) + Buffer.byteLength(dataType);
    bytes += text === undefined ? Buffer.byteLength(base64 ?? '', 'base64') : Buffer.byteLength(text);
  }
  return bytes;
};

/** The digest SDKs check: names in order; name, type and value each behind their length, values behind one byte for their kind. */
export const md5OfAttributes = (attributes: MessageAttributes): string | undefined => {
  const names = Object.keys(attributes).sort();
  if (names.length === 0) return undefined;
  const hash = createHash('md5');
  const add = (bytes: Buffer): void => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    hash.update(length).update(bytes);
  };
  for (const name of names) {
    const { dataType, text, base64 } = attributes[name] ?? { dataType: '' };
    add(Buffer.from(name));
    add(Buffer.from(dataType));
    hash.update(Buffer.of(text === undefined ? 2 : 1));
    add(text === undefined ? Buffer.from(base64 ?? '', 'base64') : Buffer.from(text));
  }
  return hash.digest('hex');
};

/** A FIFO sequence number as AWS prints it: twenty digits that only grow. */
export const sequenceNumber = (sequence: number): string => `1${String(sequence).padStart(19, '0')}`;
