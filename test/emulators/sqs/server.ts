/** The embedded SQS with both of its transports: HTTP on loopback, and the SDK's request handler. */

import { type Listening, type ListenOptions, listen } from '../loopback.ts';
import type { Clock } from './clock.ts';
import { type EmbeddedSqs, embedSqs } from './embedded.ts';

export interface StartSqsOptions extends ListenOptions {
  readonly clock?: Clock | undefined;
}

/** Starts it. Rejects when the port is taken. `close` ends long polls and connections, so it does not wait for clients. */
export const startSqs = async ({ clock, ...where }: StartSqsOptions = {}): Promise<EmbeddedSqs> => {
  let listening: Listening | undefined;
  const sqs = embedSqs({ clock, endpoint: () => listening?.endpoint ?? '' });
  listening = await listen(sqs.dispatch, where);
  const { endpoint, close } = listening;
  return {
    ...sqs,
    endpoint,
    close: async () => {
      await sqs.close();
      await close();
    },
  };
};
