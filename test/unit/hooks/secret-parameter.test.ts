import { describe, expect, it } from 'vitest';
import { parameterSecrets } from '../../../lib/hooks/secret-parameter.ts';
import { secretsIn } from '../../../lib/hooks/secrets.ts';

const parameter = (answers: readonly (() => Response | Promise<never>)[]) => {
  const asked: { readonly url: string; readonly headers: Headers; readonly body: string }[] = [];
  let now = Date.parse('2026-01-01T10:00:00Z');
  const read = parameterSecrets({
    name: '/kpackless/hook-secret',
    region: () => Promise.resolve('eu-west-1'),
    credentials: () => Promise.resolve({ accessKeyId: 'AKIDTEST', secretAccessKey: 'key', sessionToken: 'session' }),
    clock: () => new Date(now),
    fetch: async (input, init) => {
      const request = new Request(input, init);
      asked.push({ url: request.url, headers: request.headers, body: await request.text() });
      const answer = answers[asked.length - 1];
      if (answer === undefined) throw new Error('asked once too often');
      return answer();
    },
  });
  return {
    asked,
    read,
    later: (seconds: number): void => {
      now += seconds * 1000;
    },
  };
};
const value = (text: string) => () => Response.json({ Parameter: { Value: text, Type: 'SecureString' } });

describe('the secret of push hooks in Parameter Store', () => {
  it('is asked for by a signed request of the function’s own identity', async () => {
    const { read, asked } = parameter([value('one two')]);
    expect(await read()).toEqual(secretsIn('one two'));
    expect(asked[0]).toMatchObject({
      url: 'https://ssm.eu-west-1.amazonaws.com/',
      body: '{"Name":"/kpackless/hook-secret","WithDecryption":true}',
    });
    expect(asked[0]?.headers.get('x-amz-target')).toBe('AmazonSSM.GetParameter');
    expect(asked[0]?.headers.get('authorization')).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIDTEST\/20260101\/eu-west-1\/ssm\/aws4_request/,
    );
    expect(asked[0]?.headers.get('x-amz-security-token')).toBe('session');
  });

  it('is remembered for five minutes, and then read anew', async () => {
    const { read, asked, later } = parameter([value('old'), value('new')]);
    expect(await read()).toEqual(secretsIn('old'));
    later(299);
    expect(await read()).toEqual(secretsIn('old'));
    later(1);
    expect(await read()).toEqual(secretsIn('new'));
    expect(asked).toHaveLength(2);
  });

  it('is not asked for again at every hook while it cannot be read, and by many at once only once', async () => {
    const failing = () => new Response('oops', { status: 500 });
    const { read, asked, later } = parameter([failing, value('one')]);
    for (let n = 0; n < 5; n += 1) await expect(read()).rejects.toMatchObject({ name: 'ExpectedError' });
    expect(asked).toHaveLength(1);
    later(10);
    expect(await Promise.all([read(), read()])).toEqual([secretsIn('one'), secretsIn('one')]);
    expect(asked).toHaveLength(2);
  });

  it('that does not exist switches hooks off', async () => {
    const missing = () => Response.json({ __type: 'ParameterNotFound' }, { status: 400 });
    expect(await parameter([missing]).read()).toEqual([]);
  });

  it.each([
    ['refused', () => Response.json({ __type: 'AccessDeniedException' }, { status: 400 }), 'HTTP 400'],
    ['failing', () => new Response('oops', { status: 500 }), 'HTTP 500'],
    ['out of reach', () => Promise.reject(new TypeError('fetch failed')), 'no answer'],
    ['no JSON', () => new Response('a-secret', { status: 200 }), 'not JSON'],
    ['something else', () => Response.json({ Secret: 'a-secret' }), 'no value'],
  ])('that is %s is an outage, told without what was answered', async (_, answer, why) => {
    const error: unknown = await parameter([answer])
      .read()
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'ExpectedError', message: expect.stringContaining(why) as string });
    expect(String(error)).not.toContain('a-secret');
  });
});
