/** When a message goes to the dead-letter queue, and which queues may send theirs where. */

import { invalidParameter } from './errors.ts';

export interface RedrivePolicy {
  readonly deadLetterTargetArn: string;
  /** A message is given up when it would be received once more than this. */
  readonly maxReceiveCount: number;
}

export interface RedriveAllowPolicy {
  readonly redrivePermission: 'allowAll' | 'denyAll' | 'byQueue';
  readonly sourceQueueArns: readonly string[];
}

const parsed = (json: string, attribute: string): Readonly<Record<string, unknown>> => {
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Said below, the same way as for JSON that is no object.
  }
  throw invalidParameter(
    `Value ${json} for parameter ${attribute} is invalid. Reason: Amazon SQS can't parse it as JSON.`,
  );
};

/** Both members are needed; the count may come as a string, as many templates write it. */
export const parseRedrivePolicy = (json: string): RedrivePolicy => {
  const { deadLetterTargetArn, maxReceiveCount } = parsed(json, 'RedrivePolicy');
  const count = Number(maxReceiveCount);
  if (typeof deadLetterTargetArn !== 'string' || maxReceiveCount === undefined) {
    throw invalidParameter(
      `Value ${json} for parameter RedrivePolicy is invalid. Reason: Redrive policy does not contain mandatory attribute: ${
        typeof deadLetterTargetArn === 'string' ? 'maxReceiveCount' : 'deadLetterTargetArn'
      }.`,
    );
  }
  if (!Number.isInteger(count) || count < 1 || count > 1000) {
    throw invalidParameter(
      `Value ${json} for parameter RedrivePolicy is invalid. Reason: Invalid value for maxReceiveCount: ${count}, valid values are from 1 to 1000 both inclusive.`,
    );
  }
  return { deadLetterTargetArn, maxReceiveCount: count };
};

/** `byQueue` names one to ten sources; the other permissions name none. */
export const parseRedriveAllowPolicy = (json: string): RedriveAllowPolicy => {
  const { redrivePermission, sourceQueueArns } = parsed(json, 'RedriveAllowPolicy');
  const arns = Array.isArray(sourceQueueArns) ? sourceQueueArns.filter((arn) => typeof arn === 'string') : [];
  const byQueue = redrivePermission === 'byQueue';
  const known = byQueue || redrivePermission === 'allowAll' || redrivePermission === 'denyAll';
  if (!known || (byQueue ? arns.length < 1 || arns.length > 10 : sourceQueueArns !== undefined)) {
    throw invalidParameter(`Value ${json} for parameter RedriveAllowPolicy is invalid.`);
  }
  return { redrivePermission, sourceQueueArns: arns };
};

/** May the queue `sourceArn` give its messages up to a queue with this policy? */
export const mayRedriveTo = (policy: RedriveAllowPolicy | undefined, sourceArn: string): boolean =>
  policy === undefined ||
  policy.redrivePermission === 'allowAll' ||
  (policy.redrivePermission === 'byQueue' && policy.sourceQueueArns.includes(sourceArn));

/** Would receiving it once more exceed the policy? */
export const isExhausted = (receiveCount: number, policy: RedrivePolicy | undefined): boolean =>
  policy !== undefined && receiveCount >= policy.maxReceiveCount;
