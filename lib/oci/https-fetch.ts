/**
 * A fetch that trusts further certificate authorities. The platform's fetch cannot take one, and trusting it process-wide would let it speak for
 * every host; so requests to https go through node:https with the CA beside the usual ones, the rest through fetch.
 */
import { Agent, request } from 'node:https';
import { Readable } from 'node:stream';
import { rootCertificates } from 'node:tls';

const headersOf = (raw: readonly string[]): Headers => {
  const headers = new Headers();
  for (let n = 0; n + 1 < raw.length; n += 2) headers.append(raw[n] ?? '', raw[n + 1] ?? '');
  return headers;
};

/** Statuses whose responses must not have a body (fetch standard, "null body status"). */
const bodiless: ReadonlySet<number> = new Set([101, 103, 204, 205, 304]);

/** `fetch`, with the PEM certificates in `ca` trusted for the hosts `trustFor` says, all unless given. Never follows redirects. */
export const httpsFetch = (ca: string, trustFor: (host: string) => boolean = () => true): typeof globalThis.fetch => {
  // Proxies as the platform's fetch takes them: from the environment, when NODE_USE_ENV_PROXY says so.
  const proxies = process.env['NODE_USE_ENV_PROXY'] === '1' ? { proxyEnv: process.env } : {};
  const agent = new Agent({ ca: [...rootCertificates, ca], keepAlive: true, maxSockets: 32, ...proxies });
  return async (input, init = {}) => {
    const url = new URL(input instanceof Request ? input.url : input);
    if (url.protocol !== 'https:' || !trustFor(url.host)) return globalThis.fetch(input, init);
    const { method = 'GET', body, signal } = init;
    const headers = Object.fromEntries(new Headers(init.headers));
    return new Promise<Response>((resolve, reject) => {
      const outgoing = request(url, { method, headers, agent, ...(signal ? { signal } : {}) }, (incoming) => {
        const { statusCode: status = 500, statusMessage: statusText = '', rawHeaders } = incoming;
        const none = bodiless.has(status) || method === 'HEAD';
        if (none) incoming.resume();
        const stream = none ? null : (Readable.toWeb(incoming) as ReadableStream<Uint8Array>);
        resolve(new Response(stream, { status, statusText, headers: headersOf(rawHeaders) }));
      });
      outgoing.on('error', reject);
      if (body === undefined || body === null) outgoing.end();
      else if (body instanceof ReadableStream) {
        Readable.fromWeb(body)
          .on('error', (error) => {
            outgoing.destroy(error);
            reject(error);
          })
          .pipe(outgoing);
      } else reject(new TypeError('only streams are sent'));
    });
  };
};
