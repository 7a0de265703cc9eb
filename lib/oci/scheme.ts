/** Whether a registry is spoken to by https or http (spec 04 §9.2). */
import { orAborted } from './abort.ts';
import { isOciError, OciError } from './errors.ts';
import { discard, type Send } from './http.ts';
import { isPlainHttpAllowed } from './plain-http.ts';
import type { Session } from './session.ts';

/** Head start of https, in ms. */
const headStartMs = 300;

/** `https:` always, but for hosts that may use plain http: there whichever of both answers first, https with a head start. Kept per host. */
export const schemeOf = (send: Send, registry: string, session: Session, signal?: AbortSignal): Promise<string> => {
  if (!isPlainHttpAllowed(registry)) return Promise.resolve('https:');
  const known = session.schemes.get(registry);
  if (known !== undefined) return orAborted(known, signal);
  const found = probe(send, registry);
  session.schemes.set(registry, found);
  found.catch(() => session.schemes.delete(registry));
  return orAborted(found, signal);
};

const probe = async (send: Send, registry: string): Promise<string> => {
  const loser = new AbortController();
  const ask = async (scheme: string): Promise<string> => {
    const url = new URL(`${scheme}//${registry}/v2/`);
    const response = await send({ method: 'GET', url, headers: {}, signal: loser.signal });
    await discard(response);
    // A TLS port answers plain http with 400: that is no registry.
    if (response.status !== 200 && response.status !== 401) {
      throw new OciError('unavailable', `status ${response.status}`, { method: 'GET', url, status: response.status });
    }
    return scheme;
  };
  const secure = ask('https:');
  const clear = Promise.race([secure.catch(() => undefined), pause(headStartMs)]).then(() => ask('http:'));
  try {
    return await Promise.any([secure, clear]);
  } catch (error) {
    const failures = error instanceof AggregateError ? error.errors.filter((failure) => isOciError(failure)) : [];
    const [first = error, second] = failures;
    if (!isOciError(first) || second === undefined || first.code === 'not-asked') throw first;
    throw new OciError(
      first.code === 'timeout' ? second.code : first.code,
      failures.map((one) => one.message).join('; '),
      {
        url: new URL(`https://${registry}/v2/`),
        cause: error,
      },
    );
  } finally {
    loser.abort(new Error('the other scheme answered'));
  }
};

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
