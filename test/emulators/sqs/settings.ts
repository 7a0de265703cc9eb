/** What a queue is told to be: its writable attributes, checked and turned into numbers. */

import { invalidParameter, sqsError } from './errors.ts';
import { maxDelaySeconds, maxPayloadBytes, maxVisibilitySeconds, maxWaitSeconds } from './limits.ts';
import { parseRedriveAllowPolicy, parseRedrivePolicy, type RedriveAllowPolicy, type RedrivePolicy } from './redrive.ts';

/** The attributes as they were set, the form in which they are compared and given back. */
export type AttributeMap = Readonly<Record<string, string>>;

export interface QueueSettings {
  readonly fifo: boolean;
  readonly visibilitySeconds: number;
  readonly delaySeconds: number;
  readonly maxMessageBytes: number;
  readonly retentionSeconds: number;
  /** Long poll of receives that name none. */
  readonly waitSeconds: number;
  readonly contentBasedDeduplication: boolean;
  readonly deduplicationScope: 'queue' | 'messageGroup';
  readonly redrive: RedrivePolicy | undefined;
  readonly redriveAllow: RedriveAllowPolicy | undefined;
}

const numbers: Readonly<Record<string, readonly [least: number, most: number, byDefault: number]>> = {
  DelaySeconds: [0, maxDelaySeconds, 0],
  MaximumMessageSize: [1024, maxPayloadBytes, maxPayloadBytes],
  MessageRetentionPeriod: [60, 1_209_600, 345_600],
  ReceiveMessageWaitTimeSeconds: [0, maxWaitSeconds, 0],
  VisibilityTimeout: [0, maxVisibilitySeconds, 30],
};
const choices: Readonly<Record<string, readonly string[]>> = {
  FifoQueue: ['true'],
  ContentBasedDeduplication: ['true', 'false'],
  DeduplicationScope: ['queue', 'messageGroup'],
  FifoThroughputLimit: ['perQueue', 'perMessageGroupId'],
  SqsManagedSseEnabled: ['true', 'false'],
};
/** Kept and given back; they change nothing here, since nobody but this machine has access. */
const opaque = ['Policy', 'RedrivePolicy', 'RedriveAllowPolicy', 'KmsMasterKeyId', 'KmsDataKeyReusePeriodSeconds'];
const fifoOnly = ['ContentBasedDeduplication', 'DeduplicationScope', 'FifoThroughputLimit'];

/** Attributes a queue has although nobody set them. */
export const defaultAttributes = (fifo: boolean): AttributeMap => ({
  ...Object.fromEntries(Object.entries(numbers).map(([name, [, , byDefault]]) => [name, String(byDefault)])),
  SqsManagedSseEnabled: 'true',
  ...(fifo && {
    FifoQueue: 'true',
    ContentBasedDeduplication: 'false',
    DeduplicationScope: 'queue',
    FifoThroughputLimit: 'perQueue',
  }),
});

const checkAttribute = (name: string, value: string, fifo: boolean): void => {
  const range = numbers[name];
  const choice = choices[name];
  if (range === undefined && choice === undefined && !opaque.includes(name)) {
    throw sqsError('InvalidAttributeName', `Unknown Attribute ${name}.`);
  }
  if (!fifo && fifoOnly.includes(name)) throw sqsError('InvalidAttributeName', `Unknown Attribute ${name}.`);
  const [least, most] = range ?? [0, 0];
  const outside = range !== undefined && !(/^\d{1,7}$/.test(value) && Number(value) >= least && Number(value) <= most);
  if (outside || (choice !== undefined && !choice.includes(value))) {
    throw sqsError('InvalidAttributeValue', `Invalid value for the parameter ${name}.`);
  }
};

/** The attributes after a change, every name and value checked; an empty value takes an optional one away. */
export const changedAttributes = (before: AttributeMap, change: AttributeMap, fifo: boolean): AttributeMap => {
  const after: Record<string, string> = { ...before };
  for (const [name, value] of Object.entries(change)) {
    if (opaque.includes(name) && value === '') {
      delete after[name];
      continue;
    }
    checkAttribute(name, value, fifo);
    after[name] = value;
  }
  if (after['FifoThroughputLimit'] === 'perMessageGroupId' && after['DeduplicationScope'] !== 'messageGroup') {
    throw invalidParameter(
      'The FifoThroughputLimit attribute can be set to perMessageGroupId only when DeduplicationScope is messageGroup.',
    );
  }
  return after;
};

/** The settings the attributes mean, with the redrive policies parsed. */
export const settingsFrom = (attributes: AttributeMap): QueueSettings => {
  const number = (name: string): number => Number(attributes[name]);
  const { RedrivePolicy: redrive, RedriveAllowPolicy: redriveAllow } = attributes;
  return {
    fifo: attributes['FifoQueue'] === 'true',
    visibilitySeconds: number('VisibilityTimeout'),
    delaySeconds: number('DelaySeconds'),
    maxMessageBytes: number('MaximumMessageSize'),
    retentionSeconds: number('MessageRetentionPeriod'),
    waitSeconds: number('ReceiveMessageWaitTimeSeconds'),
    contentBasedDeduplication: attributes['ContentBasedDeduplication'] === 'true',
    deduplicationScope: attributes['DeduplicationScope'] === 'messageGroup' ? 'messageGroup' : 'queue',
    redrive: redrive === undefined ? undefined : parseRedrivePolicy(redrive),
    redriveAllow: redriveAllow === undefined ? undefined : parseRedriveAllowPolicy(redriveAllow),
  };
};
