/** Events for programs outside, on a bus of EventBridge. */
import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { networkCause } from '../errors/network-cause.ts';
import type { EventBus } from './announce.ts';
import type { CloudEvent } from './cloud-event.ts';

/** A Build does not wait longer for its event to be taken: ends of Builds are worth more. */
const deadlineMilliseconds = 3000;

/** What EventBridge shows of it beside the body: rules match on these. */
const detailTypeOf = ({ type }: CloudEvent): string => {
  const word = type.slice(type.lastIndexOf('.') + 1);
  return `Build ${word.charAt(0).toUpperCase()}${word.slice(1)}`;
};

/**
 * The bus of that name or ARN. An event that is not taken within three seconds, retries of the client included, is told of by `warn` and lost: what is
 * true stands in the Build.
 */
export const eventBridgeBus = (
  client: Pick<EventBridgeClient, 'send'>,
  busName: string,
  warn: (why: string) => void,
): EventBus => ({
  put: async (event) => {
    const entry = {
      EventBusName: busName,
      Source: 'kpackless',
      DetailType: detailTypeOf(event),
      Detail: JSON.stringify(event),
      Time: new Date(event.time),
    };
    try {
      const abortSignal = AbortSignal.timeout(deadlineMilliseconds);
      const { Entries: [taken] = [] } = await client.send(new PutEventsCommand({ Entries: [entry] }), { abortSignal });
      if (taken?.EventId === undefined) warn(`${taken?.ErrorCode ?? 'no answer'}: ${event.subject} ${event.type}`);
    } catch (error) {
      warn(`${networkCause(error)}: ${event.subject} ${event.type}`);
    }
  },
});
