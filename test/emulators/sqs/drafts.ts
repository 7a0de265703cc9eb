/** From the members of SendMessage to a draft: every rule about one message, in the order AWS checks them. */

import { contentId } from './deduplication.ts';
import { invalidParameter, invalidValue, missingParameter } from './errors.ts';
import { type Input, isInput, optionalNumber, optionalText, structureMap } from './input.ts';
import { checkCharacters, checkIdentifier, maxDelaySeconds, maxMessageAttributes, withinRange } from './limits.ts';
import { type Draft, type MessageAttribute, type MessageAttributes, sizeOf } from './message.ts';
import type { QueueSettings } from './settings.ts';

const attributeName = /^(?!aws\.|amazon\.|\.)[\w.-]{1,256}$/i;
const attributeType = /^(String|Number|Binary)(\.[^\p{Cc}]{1,245})?$/u;

/** The draft a SendMessage or a batch entry describes; throws what AWS would answer. */
export const draftFrom = (input: Input, settings: QueueSettings, senderId: string): Draft => {
  const body = optionalText(input, 'MessageBody');
  if (body === undefined || body === '') throw missingParameter('MessageBody');
  checkCharacters(body);
  const attributes = attributesFrom(input);
  if (sizeOf(body, attributes) > settings.maxMessageBytes) {
    throw invalidParameter(
      `One or more parameters are invalid. Reason: Message must be shorter than ${settings.maxMessageBytes} bytes.`,
    );
  }
  const delaySeconds = withinRange(optionalNumber(input, 'DelaySeconds'), 'DelaySeconds', 0, maxDelaySeconds);
  const traceHeader = structureMap(input, 'MessageSystemAttributes')['AWSTraceHeader'];
  return {
    body,
    attributes,
    senderId,
    traceHeader: traceHeader === undefined ? undefined : optionalText(traceHeader, 'StringValue'),
    ...(settings.fifo ? fifoMembers(input, body, settings, delaySeconds) : standardMembers(input, delaySeconds)),
  };
};

const otherQueueType = 'The request include parameter that is not valid for this queue type';

const standardMembers = (input: Input, delaySeconds: number | undefined): Partial<Draft> => {
  const deduplicationId = optionalText(input, 'MessageDeduplicationId');
  if (deduplicationId !== undefined) throw invalidValue(deduplicationId, 'MessageDeduplicationId', otherQueueType);
  const groupId = optionalText(input, 'MessageGroupId');
  return { delaySeconds, groupId: groupId === undefined ? undefined : checkIdentifier(groupId, 'MessageGroupId') };
};

const fifoMembers = (
  input: Input,
  body: string,
  { contentBasedDeduplication }: QueueSettings,
  delaySeconds: number | undefined,
): Partial<Draft> => {
  if (delaySeconds !== undefined && delaySeconds > 0) throw invalidValue(delaySeconds, 'DelaySeconds', otherQueueType);
  const groupId = optionalText(input, 'MessageGroupId');
  if (groupId === undefined) throw missingParameter('MessageGroupId');
  const deduplicationId = optionalText(input, 'MessageDeduplicationId');
  if (deduplicationId === undefined && !contentBasedDeduplication) {
    throw invalidParameter(
      'The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly',
    );
  }
  return {
    groupId: checkIdentifier(groupId, 'MessageGroupId'),
    deduplicationId:
      deduplicationId === undefined ? contentId(body) : checkIdentifier(deduplicationId, 'MessageDeduplicationId'),
  };
};

const attributesFrom = (input: Input): MessageAttributes => {
  const entries = Object.entries(structureMap(input, 'MessageAttributes'));
  if (entries.length > maxMessageAttributes) {
    throw invalidParameter(
      `Number of message attributes [${entries.length}] exceeds the allowed maximum [${maxMessageAttributes}].`,
    );
  }
  return Object.fromEntries(entries.map(([name, value]) => [name, attributeFrom(name, value)]));
};

const attributeFrom = (name: string, value: Input): MessageAttribute => {
  if (!attributeName.test(name) || name.includes('..') || name.endsWith('.')) {
    throw invalidParameter(`Message (user) attribute name '${name.slice(0, 300)}' is invalid.`);
  }
  const dataType = optionalText(value, 'DataType') ?? '';
  const kind = attributeType.exec(dataType)?.[1];
  if (kind === undefined) {
    throw invalidParameter(
      `The message attribute '${name}' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.`,
    );
  }
  const content = optionalText(value, kind === 'Binary' ? 'BinaryValue' : 'StringValue');
  if (content === undefined || content === '') {
    throw invalidParameter(
      `The message attribute '${name}' must contain a non-empty message attribute value for message attribute type '${dataType}'.`,
    );
  }
  if (kind === 'Binary') return { dataType, base64: content };
  if (kind === 'Number' && !Number.isFinite(Number(content))) {
    throw invalidParameter(`Can't cast the value of message (user) attribute '${name}' to a number.`);
  }
  checkCharacters(content);
  return { dataType, text: content };
};

/** Bytes of a batch entry before its own rules are checked: the whole batch has a limit of its own. */
export const entryBytes = (entry: Input): number => {
  let bytes = Buffer.byteLength(optionalText(entry, 'MessageBody') ?? '');
  const attributes = entry['MessageAttributes'];
  for (const [name, value] of isInput(attributes) ? Object.entries(attributes) : []) {
    if (!isInput(value)) continue;
    const [type, content, binary] = ['DataType', 'StringValue', 'BinaryValue'].map((m) => optionalText(value, m) ?? '');
    bytes += Buffer.byteLength(`${name}${type}${content}`) + Buffer.byteLength(binary ?? '', 'base64');
  }
  return bytes;
};
