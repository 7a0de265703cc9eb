import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { createInterface } from 'node:readline';

import { ExpectedError } from '../../../lib/errors/expected.ts';
import type { Pki } from './pki.ts';

/** The few calls the cluster's own start needs, as its administrator. Not for anything else: that is lib/kube. */
export interface AdminApi {
  /** @throws ExpectedError with the server's message on any status but 2xx. */
  send(method: string, path: string, body?: object): Promise<unknown>;
  /** POST; an object that exists already is left as it is. */
  ensure(path: string, body: object): Promise<void>;
  /** Calls `onEvent` for each event until the server ends the watch or `signal` fires. */
  watch(path: string, onEvent: () => void, signal: AbortSignal): Promise<void>;
  close(): void;
}

const REQUEST_DEADLINE_MS = 10_000;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

export const adminApi = (server: string, pki: Pki): AdminApi => {
  const agent = new Agent({
    keepAlive: true,
    ca: readFileSync(pki.ca.cert),
    cert: readFileSync(pki.admin.cert),
    key: readFileSync(pki.admin.key),
  });
  const open = (
    method: string,
    path: string,
    body: object | undefined,
    signal: AbortSignal,
  ): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const headers = {
        'user-agent': 'kpackless-local-cluster',
        accept: 'application/json',
        'content-type': 'application/json',
      };
      const call = request(`${server}${path}`, { method, agent, headers, signal }, resolve);
      call.once('error', reject);
      call.end(body === undefined ? undefined : JSON.stringify(body));
    });
  const send = async (method: string, path: string, body?: object): Promise<unknown> => {
    const response = await open(method, path, body, AbortSignal.timeout(REQUEST_DEADLINE_MS));
    const text = await bodyOf(response);
    const status = response.statusCode ?? 0;
    if (status < 200 || status > 299) throw new ApiError(status, `${method} ${path}: ${status} ${messageIn(text)}`);
    return text.startsWith('{') ? JSON.parse(text) : text;
  };
  return {
    send,
    ensure: async (path, body) => {
      try {
        await send('POST', path, body);
      } catch (error) {
        if (!(error instanceof ApiError && error.status === 409)) throw error;
      }
    },
    watch: async (path, onEvent, signal) => {
      const response = await open('GET', path, undefined, signal);
      response.once('error', () => {}); // an aborted watch ends the loop below, that is all
      if (response.statusCode !== 200)
        throw new ApiError(response.statusCode ?? 0, `GET ${path}: ${response.statusCode ?? 0}`);
      for await (const line of createInterface(response)) if (line !== '') onEvent();
    },
    close: () => agent.destroy(),
  };
};

/** The API server said no; `status` is the HTTP status. */
export class ApiError extends ExpectedError {
  override readonly name = 'ApiError';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const bodyOf = async (response: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES) throw new ExpectedError('the API server answers with more than 64 MiB');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
};

const messageIn = (text: string): string => {
  try {
    return (JSON.parse(text) as { message?: string }).message ?? '';
  } catch {
    return text.slice(0, 200);
  }
};
