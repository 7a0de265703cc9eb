import { describe, expect, it } from 'vitest';
import { OciError } from '../../../lib/oci/errors.ts';
import type { HttpRequest } from '../../../lib/oci/http.ts';
import { isPassing, retrying } from '../../../lib/oci/retry.ts';
import { retryAfterSeconds } from '../../../lib/oci/retry-after.ts';
import { stubSend } from '../../support/stub-send.ts';

const request: HttpRequest = { method: 'GET', url: new URL('https://reg.example.com/'), headers: {} };
const quick = { firstWaitMs: 1 };

describe('retries', () => {
  it('stop at the first good answer', async () => {
    const { send, asked } = stubSend({ status: 503 }, { status: 200 }, { status: 500 });
    expect((await retrying(send, quick)(request)).status).toBe(200);
    expect(asked).toHaveLength(2);
  });

  it('give the last answer when all are bad', async () => {
    const { send, asked } = stubSend({ status: 500, body: 'first' }, { status: 502 }, { status: 503 });
    expect((await retrying(send, quick)(request)).status).toBe(503);
    expect(asked).toHaveLength(3);
  });

  it('are not made of answers that will not change', async () => {
    for (const status of [400, 401, 403, 404, 405, 416]) {
      const { send, asked } = stubSend({ status });
      expect((await retrying(send, quick)(request)).status).toBe(status);
      expect(asked).toHaveLength(1);
    }
  });

  it('are made when nobody answers, not when time is up', async () => {
    const { send } = stubSend(new OciError('unreachable', 'x'), { status: 200 });
    expect((await retrying(send, quick)(request)).status).toBe(200);
    const late = stubSend(new OciError('timeout', 'late'), { status: 200 });
    await expect(retrying(late.send, quick)(request)).rejects.toThrow('late');
    expect(late.asked).toHaveLength(1);
  });

  it('are not made of what may be sent once', async () => {
    const { send, asked } = stubSend({ status: 503 });
    await retrying(send, quick)({ ...request, once: true });
    expect(asked).toHaveLength(1);
  });

  it('wait as long as asked, if that is short', async () => {
    const { send, asked } = stubSend({ status: 429, headers: { 'retry-after': '1' } }, { status: 200 });
    const startedMs = performance.now();
    await retrying(send, quick)(request);
    expect(performance.now() - startedMs).toBeGreaterThan(950);
    expect(asked).toHaveLength(2);
  });

  it('do not wait for a caller who has left', async () => {
    const { send } = stubSend({ status: 503 });
    const signal = AbortSignal.timeout(10);
    const startedMs = performance.now();
    await retrying(send, { firstWaitMs: 60_000 })({ ...request, signal });
    expect(performance.now() - startedMs).toBeLessThan(30_000);
  });
});

describe('Retry-After', () => {
  it.each([
    ['0', 0],
    ['120', 120],
    [' 7 ', 7],
    ['Thu, 01 Jan 1970 00:01:40 GMT', 100],
    ['Thu, 01 Jan 1960 00:00:00 GMT', 0],
    ['999999999', 86_400],
    ['soon', undefined],
    ['-1', undefined],
    [null, undefined],
  ])('%j is %s seconds', (header, seconds) => {
    expect(retryAfterSeconds(header, 0)).toBe(seconds);
  });

  it('counts passing statuses', () => {
    expect([408, 429, 499, 500, 502, 503, 504, 522].every(isPassing)).toBe(true);
    expect([200, 400, 401, 403, 404, 501].some(isPassing)).toBe(false);
  });
});
