/**
 * Follows redirects by hand (distribution-spec "Pulling blobs"): registries send blobs from storage hosts, and those must never see the
 * registry's credential.
 */
import { printable } from '../text/printable.ts';
import { ToldUrl } from '../text/shown-url.ts';
import { OciError } from './errors.ts';
import { discard, type HttpRequest, type Send } from './http.ts';

const longestChain = 5;

/**
 * Wraps a `Send`. A redirect to another origin (scheme, host or port) loses `authorization`; https never becomes http. 307 and 308 repeat
 * any method with its body; 301, 302 and 303 are followed for GET and HEAD only. Fails `rejected` on anything else.
 */
export const following =
  (send: Send): Send =>
  async (request) => {
    let current = request;
    for (let hop = 0; hop <= longestChain; hop++) {
      const response = await send(current);
      const location = response.headers.get('location');
      if (![301, 302, 303, 307, 308].includes(response.status) || location === null) return response;
      await discard(response);
      current = redirected(current, location, response.status);
    }
    throw refuse(request, `more than ${longestChain} redirects`);
  };

const refuse = ({ method, url }: HttpRequest, because: string): OciError =>
  new OciError('rejected', `redirect refused: ${because}`, { method, url });

const redirected = (request: HttpRequest, location: string, status: number): HttpRequest => {
  const reads = request.method === 'GET' || request.method === 'HEAD';
  if (!reads && status < 307) throw refuse(request, `status ${status} answers a ${request.method}`);
  if (!URL.canParse(location, request.url.href)) throw refuse(request, 'its location is not a URL');
  const url = new ToldUrl(location, request.url);
  const downgraded = request.url.protocol === 'https:' && url.protocol !== 'https:';
  if (downgraded || !/^https?:$/.test(url.protocol))
    throw refuse(request, `from https to ${printable(`${url.protocol}//${url.host}`, 256)}`);
  if (url.origin === request.url.origin) return { ...request, url };
  if (request.staysAtOrigin === true) throw refuse(request, `to another host, ${printable(url.host, 256)}`);
  const { authorization: _, ...headers } = request.headers;
  return { ...request, url, headers };
};
