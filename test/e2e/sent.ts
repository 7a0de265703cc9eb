/** What kpackless says to its own queues, as it is sent. */
import type { Adapters } from '../../functions/adapters.ts';

/** `adapters` whose messages are written down in `sent` before they go. */
export const writingDown = (adapters: Adapters, sent: string[]): Adapters => ({
  ...adapters,
  sender: {
    send: (queue, messages) => {
      sent.push(...messages.map((message) => JSON.stringify(message)));
      return adapters.sender.send(queue, messages);
    },
  },
});
