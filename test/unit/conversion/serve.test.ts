/** The endpoint as anybody in a cluster may call it: what is sent, by how many, and how slowly, must not take the relay's memory or its time. */
import type { ClientRequest } from 'node:http';
import { request } from 'node:https';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ConversionEndpoint, serveConversion } from '../../../lib/conversion/serve.ts';
import { issueFor, makeAuthority } from '../../../lib/tls/certificate.ts';

const now = new Date();
const authority = makeAuthority('test', { now, days: 2 });
const mebibyte = 1024 * 1024;
let endpoint: ConversionEndpoint;
beforeAll(async () => {
  endpoint = await serveConversion('127.0.0.1', 0, issueFor(authority, ['127.0.0.1'], { now, days: 1 }));
});
afterAll(() => endpoint.close());

/** A review of so many bytes. */
const review = (bytes: number): string => {
  const filled = (fill: string): string => {
    const metadata = { name: 'a', annotations: { fill } };
    const objects = [{ apiVersion: 'kpack.io/v1alpha2', kind: 'Image', metadata, spec: {} }];
    return JSON.stringify({
      kind: 'ConversionReview',
      request: { uid: 'u', desiredAPIVersion: 'kpack.io/v1alpha2', objects },
    });
  };
  return filled('x'.repeat(bytes - filled('').length));
};

const call = (body: string | undefined, headers: Record<string, string> = {}) => {
  let sent: ClientRequest | undefined;
  const answer = new Promise<number | string>((resolve) => {
    const options = { method: 'POST', ca: authority.cert, agent: false, headers };
    sent = request(`https://127.0.0.1:${endpoint.port}/convert`, options, (response) => {
      response.resume().once('end', () => resolve(response.statusCode ?? 0));
    });
    sent.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    if (body !== undefined) sent.end(body);
    else sent.flushHeaders();
  });
  return { answer, end: () => sent?.destroy() };
};

describe('whoever converts', () => {
  it('takes reviews of three mebibytes, and refuses longer ones before they are sent', async () => {
    const fits = review(3 * mebibyte);
    expect(Buffer.byteLength(fits)).toBe(3 * mebibyte);
    expect(await call(fits).answer).toBe(200);
    expect(await call(undefined, { 'content-length': String(3 * mebibyte + 1) }).answer).toBe(413);
  });

  it('refuses what says no length and is longer', async () => {
    const chunked = call('x'.repeat(5 * mebibyte), { 'transfer-encoding': 'chunked' });
    expect([413, 'ECONNRESET', 'EPIPE']).toContain(await chunked.answer);
  });

  it('answers many at once, one after another', async () => {
    const body = review(2 * mebibyte);
    const answers = await Promise.all(Array.from({ length: 12 }, () => call(body).answer));
    expect(new Set(answers)).toEqual(new Set([200]));
  });

  it('cuts off who announces much and sends nothing, and answers others then', async () => {
    const idle = [0, 1].map(() => call(undefined, { 'content-length': String(3 * mebibyte) }));
    await new Promise((resolve) => setTimeout(resolve, 200));
    const started = performance.now();
    expect(await call(review(mebibyte)).answer).toBe(200);
    expect(performance.now() - started).toBeLessThan(7000);
    expect(await Promise.all(idle.map(({ answer }) => answer))).toEqual(['ECONNRESET', 'ECONNRESET']);
  });
});
