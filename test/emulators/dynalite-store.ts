/**
 * dynalite without its sockets. It throws into the process when a client hangs up in the middle of a request, so it is handed
 * complete requests only: ours are the only streams it sees.
 */

import { EventEmitter, once } from 'node:events';
import dynalite from 'dynalite';
import type { Answer, ProtocolRequest, ProtocolResponse } from './in-process.ts';

/** An action of dynalite takes milliseconds; one that never answers must not hang its caller. */
const deadlineMs = 30_000;

export interface DynaliteStore {
  readonly answer: Answer;
  /** Waits for what runs and closes the database. */
  readonly close: () => Promise<void>;
}

/** Opens a store in memory. */
export const openDynalite = (): DynaliteStore => {
  const server = dynalite({
    createTableMs: 0,
    deleteTableMs: 0,
    updateTableMs: 0,
  });
  const answered = async (request: ProtocolRequest): Promise<ProtocolResponse> =>
    new Promise((resolve) => {
      const late = setTimeout(() => resolve(internalFailure(`no answer within ${deadlineMs} ms`)), deadlineMs);
      const reply = (response: ProtocolResponse): void => {
        clearTimeout(late);
        resolve(response);
      };
      const incoming = incomingOf(request);
      try {
        server.emit('request', incoming, outgoing(reply));
        incoming.emit('data', Buffer.from(request.body));
        incoming.emit('end');
      } catch (error) {
        reply(internalFailure(error instanceof Error ? error.message : String(error)));
      }
    });

  // It throws into the process, too, when it is closed in the middle of a request.
  const running = new Set<Promise<ProtocolResponse>>();
  let isClosed = false;
  return {
    answer: async (request) => {
      if (isClosed) return internalFailure('the database is closed');
      const answer = answered(request);
      running.add(answer);
      return answer.finally(() => running.delete(answer));
    },
    close: async () => {
      isClosed = true;
      await Promise.all(running);
      // Its close() gives up before the database when the server has never listened.
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      await new Promise<void>((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
      });
    },
  };
};

const incomingOf = ({ headers }: ProtocolRequest): EventEmitter =>
  Object.assign(new EventEmitter(), { method: 'POST', url: '/', headers });

/** As much of a ServerResponse as dynalite uses. */
const outgoing = (reply: (response: ProtocolResponse) => void): object => {
  const headers: Record<string, string> = {};
  const response = {
    statusCode: 200,
    setHeader: (name: string, value: unknown) => {
      headers[name.toLowerCase()] = String(value);
    },
    end: (body = '') => reply({ status: response.statusCode, headers, body }),
  };
  return response;
};

/** The answer to what no request should cause. */
export const internalFailure = (message: string): ProtocolResponse => ({
  status: 500,
  headers: { 'content-type': 'application/x-amz-json-1.0' },
  body: JSON.stringify({ __type: 'com.amazonaws.dynamodb.v20120810#InternalServerError', message }),
});
