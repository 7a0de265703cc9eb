import { describe, expect, it } from 'vitest';
import { ExpectedError, PermanentError } from '../../../lib/errors/expected.ts';
import { networkCause } from '../../../lib/errors/network-cause.ts';

const coded = (code: string, message = 'hunter2'): Error => Object.assign(new Error(message), { code });

describe('what went wrong on the wire', () => {
  it.each([
    [coded('ECONNREFUSED', 'connect ECONNREFUSED 10.0.0.1:443'), 'connection refused (ECONNREFUSED)'],
    [coded('ENOTFOUND', 'getaddrinfo ENOTFOUND hunter2'), 'no such host (ENOTFOUND)'],
    [coded('ERR_TLS_CERT_ALTNAME_INVALID'), 'certificate is for another host (ERR_TLS_CERT_ALTNAME_INVALID)'],
    [coded('ERR_INVALID_CHAR'), 'a header would hold a character that may not be sent (ERR_INVALID_CHAR)'],
    [coded('HPE_INVALID_CONSTANT'), 'the answer is not HTTP (HPE_INVALID_CONSTANT)'],
    [coded('ERR_SSL_SOMETHING_NEW'), 'TLS failed (ERR_SSL_SOMETHING_NEW)'],
    [coded('ENEW'), 'the request failed (ENEW)'],
    [new TypeError('fetch failed', { cause: coded('ECONNRESET') }), 'the connection was broken off (ECONNRESET)'],
    [new AggregateError([coded('ETIMEDOUT'), coded('EPIPE')]), 'no answer in time (ETIMEDOUT)'],
    [new DOMException('hunter2', 'TimeoutError'), 'no answer in time'],
    [
      new TypeError('fetch failed', { cause: new ExpectedError('that address is not asked') }),
      'that address is not asked',
    ],
    [new PermanentError('', 'that is refused'), 'that is refused'],
    [
      Object.assign(new Error('canonical string: x-amz-security-token:hunter2'), {
        name: 'SignatureDoesNotMatch',
        $metadata: { httpStatusCode: 403 },
      }),
      'SignatureDoesNotMatch (HTTP 403)',
    ],
    [new TypeError('Headers.append: "Bearer hunter2" is an invalid header value.'), 'the request failed (TypeError)'],
    [coded('hunter2 with blanks'), 'the request failed'],
    ['hunter2', 'the request failed'],
  ])('%s', (error, told) => {
    expect(networkCause(error)).toBe(told);
  });

  it('ends where causes are a ring', () => {
    const error = new Error('hunter2');
    error.cause = error;
    expect(networkCause(error)).toBe('the request failed');
  });

  it('tells of a real header that could not be sent nothing of its value', async () => {
    const failure: unknown = await fetch('http://127.0.0.1:9/', {
      headers: { authorization: 'Bearer hun\nter2' },
    }).catch((error: unknown) => error);
    expect((failure as Error).message).toContain('ter2');
    expect(networkCause(failure)).not.toMatch(/hun|ter2/);
  });
});
