import { describe, expect, it } from 'vitest';
import { OciError } from '../../../lib/oci/errors.ts';
import type { HttpRequest, HttpResponse, Send } from '../../../lib/oci/http.ts';
import { schemeOf } from '../../../lib/oci/scheme.ts';
import { createSession } from '../../../lib/oci/session.ts';
import { stubSend } from '../../support/stub-send.ts';

const registry = '10.1.2.3:5000';
const never = (): Promise<HttpResponse> => new Promise(() => undefined);
const ok = stubSend({ status: 200 }).send;
const unauthorized = stubSend({ status: 401 }).send;
const refused: Send = (request) =>
  Promise.reject(new OciError('unreachable', 'connect ECONNREFUSED', { method: 'GET', url: request.url }));

/** https and http answered differently. */
const either =
  (https: Send, http: Send): Send =>
  (request: HttpRequest) =>
    request.url.protocol === 'https:' ? https(request) : http(request);

describe('the scheme of a registry', () => {
  it('04#131 is https without a question for public names', async () => {
    const { send, asked } = stubSend({ status: 200 });
    expect(await schemeOf(send, 'registry.example.com', createSession())).toBe('https:');
    expect(asked).toEqual([]);
  });

  it('is https where both answer', async () => {
    expect(await schemeOf(either(unauthorized, ok), registry, createSession())).toBe('https:');
  });

  it('is http where https is refused, and is remembered', async () => {
    const session = createSession();
    expect(await schemeOf(either(refused, ok), registry, session)).toBe('http:');
    expect(await schemeOf(refused, registry, session)).toBe('http:');
  });

  it('is http where a firewall swallows https, after 300 ms', async () => {
    const startedMs = performance.now();
    expect(await schemeOf(either(never, ok), registry, createSession())).toBe('http:');
    expect(performance.now() - startedMs).toBeGreaterThan(280);
  });

  it('is not http where only the TLS port’s complaint comes back', async () => {
    const complaint = stubSend({ status: 400 }).send;
    const work = schemeOf(either(refused, complaint), registry, createSession());
    await expect(work).rejects.toThrow(/https:.*ECONNREFUSED; GET http:.*status 400/);
  });

  it('is asked for again after a failure', async () => {
    const session = createSession();
    await expect(schemeOf(refused, registry, session)).rejects.toMatchObject({ code: 'unreachable', pace: 'soon' });
    expect(await schemeOf(ok, registry, session)).toBe('https:');
  });

  it('keeps nobody waiting who has left', async () => {
    const work = schemeOf(never, registry, createSession(), AbortSignal.timeout(10));
    await expect(work).rejects.toMatchObject({ code: 'timeout' });
  });
});
