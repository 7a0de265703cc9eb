/**
 * As much of fetch as the registry client uses, on node:http and node:https. For programs that live for half a second, of which loading
 * the platform's fetch takes a tenth (lib/steps/prepare), and for agents that fetch cannot be given (https-fetch.ts).
 */
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import type { Fetch, FetchAnswer } from './fetch-send.ts';
import type { AnswerHeaders } from './http.ts';

/** Proxies as the platform's fetch takes them: from the environment, when NODE_USE_ENV_PROXY says so. */
const agentOptions = () => ({
  keepAlive: true,
  maxSockets: 32,
  ...(process.env['NODE_USE_ENV_PROXY'] === '1' ? { proxyEnv: process.env } : {}),
});

/** An agent for https; PEM certificates in `ca` are trusted instead of the usual ones. */
export const httpsAgent = (ca?: readonly string[]): HttpsAgent =>
  new HttpsAgent({ ...agentOptions(), ...(ca === undefined ? {} : { ca: [...ca] }) });

/** Statuses whose responses must not have a body (fetch standard, "null body status"). */
const bodiless: ReadonlySet<number> = new Set([101, 103, 204, 205, 304]);

/** Repeated fields are one, as in fetch. */
const headersOf = ({ headersDistinct }: IncomingMessage): AnswerHeaders => ({
  get: (name) => headersDistinct[name.toLowerCase()]?.join(', ') ?? null,
  has: (name) => headersDistinct[name.toLowerCase()] !== undefined,
});

/** Requests over these agents, kept from request to request. Never follows redirects; sends only streams. */
export const nodeFetch = (https: HttpsAgent = httpsAgent(), http: HttpAgent = new HttpAgent(agentOptions())): Fetch => {
  const send = (url: URL, { method = 'GET', headers, body, signal }: Parameters<Fetch>[1]): Promise<FetchAnswer> =>
    new Promise((resolve, reject) => {
      const secure = url.protocol === 'https:';
      const options = { method, headers: { ...headers }, agent: secure ? https : http, ...(signal ? { signal } : {}) };
      const outgoing = (secure ? httpsRequest : httpRequest)(url, options, (incoming) => {
        const { statusCode: status = 500, statusMessage: statusText = '' } = incoming;
        const none = bodiless.has(status) || method === 'HEAD';
        if (none) incoming.resume();
        resolve({ status, statusText, headers: headersOf(incoming), body: none ? null : incoming });
      });
      outgoing.on('error', reject);
      if (body === undefined) {
        outgoing.end();
        return;
      }
      Readable.fromWeb(body)
        .on('error', (error) => {
          outgoing.destroy(error);
          reject(error);
        })
        .pipe(outgoing);
    });
  return send;
};
