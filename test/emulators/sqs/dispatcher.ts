/** From a request in AwsJson1.0 to its response, whatever carried it: `x-amz-target` names the action, the body its members. */

import { randomUUID } from 'node:crypto';
import type { ProtocolRequest, ProtocolResponse } from '../in-process.ts';
import { malformedRequest, SqsError, unknownAction } from './errors.ts';
import { isInput } from './input.ts';
import { messageActions } from './message-actions.ts';
import { queueActions } from './queue-actions.ts';
import type { Action, Service } from './service.ts';
import { taskActions } from './task-actions.ts';

const actions: ReadonlyMap<string, Action> = new Map(
  Object.entries({ ...queueActions, ...messageActions, ...taskActions }).map(([name, action]) => [
    `AmazonSQS.${name}`,
    action,
  ]),
);

/** Answers one request. Refusals become error responses; a bug becomes a 500 that names no more than its message. */
export const dispatch = async (service: Service, request: ProtocolRequest): Promise<ProtocolResponse> => {
  try {
    const target = request.headers['x-amz-target'] ?? '';
    const action = actions.get(target);
    if (action === undefined) throw unknownAction(target.slice(0, 100));
    const call = { senderId: senderOf(request.headers['authorization']), signal: request.signal };
    return answer(200, await action(service, parsed(request.body), call));
  } catch (error) {
    return refusal(error);
  }
};

const parsed = (body: string) => {
  try {
    const value: unknown = JSON.parse(body === '' ? '{}' : body);
    if (isInput(value)) return value;
  } catch {
    // Said below, the same way as for JSON that is no object.
  }
  throw malformedRequest('The request body is not a JSON object');
};

/** The access key id, so that local senders can be told apart. */
const senderOf = (authorization: string | undefined): string =>
  /Credential=([\w-]+)\//.exec(authorization ?? '')?.[1] ?? 'ANONYMOUS';

const refusal = (error: unknown): ProtocolResponse => {
  if (error instanceof SqsError) {
    const { shape, code, message } = error;
    return answer(400, { __type: shape, message }, { 'x-amzn-query-error': `${code};Sender` });
  }
  const message = error instanceof Error ? error.message : 'unknown failure';
  return answer(
    500,
    { __type: 'com.amazonaws.sqs#InternalFailure', message },
    { 'x-amzn-query-error': 'InternalFailure;Receiver' },
  );
};

const answer = (status: number, members: object, headers: Readonly<Record<string, string>> = {}): ProtocolResponse => ({
  status,
  headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-requestid': randomUUID(), ...headers },
  body: JSON.stringify(members),
});
