import { describe, expect, it } from 'vitest';
import { type HttpRequest, replay } from '../../../lib/oci/http.ts';
import { following } from '../../../lib/oci/redirect.ts';
import { stubSend } from '../../support/stub-send.ts';

const request = (more: Partial<HttpRequest> = {}): HttpRequest => ({
  method: 'GET',
  url: new URL('https://reg.example.com/v2/a/b/blobs/x'),
  headers: { authorization: 'Bearer secret', accept: 'x' },
  ...more,
});
const to = (location: string, status = 307) => ({ status, headers: { location } });
const done = { status: 200 };

describe('redirects', () => {
  it('within the registry keep the credential', async () => {
    const { send, asked } = stubSend(to('/elsewhere'), done);
    expect((await following(send)(request())).status).toBe(200);
    expect(asked[1]?.url.href).toBe('https://reg.example.com/elsewhere');
    expect(asked[1]?.headers['authorization']).toBe('Bearer secret');
  });

  it.each(['https://storage.example.com/x', 'https://reg.example.com:8443/x', '//evil.example.com/x'])(
    'to %s lose it and keep the rest',
    async (location) => {
      const { send, asked } = stubSend(to(location), done);
      await following(send)(request());
      expect(asked[1]?.headers).toEqual({ accept: 'x' });
    },
  );

  it('do not get it back on the way home', async () => {
    const { send, asked } = stubSend(to('https://storage.example.com/x'), to('https://reg.example.com/y'), done);
    await following(send)(request());
    expect(asked[2]?.headers).toEqual({ accept: 'x' });
  });

  it.each([
    ['http://reg.example.com/x', 'from https to http://reg.example.com'],
    ['ftp://reg.example.com/x', 'from https to ftp://reg.example.com'],
    ['https://[', 'its location is not a URL'],
  ])('to %s are refused', async (location, sentence) => {
    const { send } = stubSend(to(location), done);
    await expect(following(send)(request())).rejects.toMatchObject({
      code: 'rejected',
      message: expect.stringContaining(sentence) as string,
    });
  });

  it('end after five', async () => {
    const { send, asked } = stubSend(to('/again'));
    await expect(following(send)(request())).rejects.toThrow('more than 5 redirects');
    expect(asked).toHaveLength(6);
  });

  it('of a POST are followed with its body for 307, refused for 302', async () => {
    const post = request({ method: 'POST', body: replay(Buffer.from('x')) });
    const { send, asked } = stubSend(to('/again', 308), done);
    await following(send)(post);
    expect(asked[1]).toMatchObject({ method: 'POST', body: post.body });
    await expect(following(stubSend(to('/again', 302), done).send)(post)).rejects.toThrow('status 302 answers a POST');
  });

  it('of what must stay are refused', async () => {
    const { send, asked } = stubSend(to('https://other.example.com/'), done);
    await expect(following(send)(request({ staysAtOrigin: true }))).rejects.toThrow(
      'to another host, other.example.com',
    );
    expect(asked).toHaveLength(1);
  });

  it('without a location are the answer', async () => {
    expect((await following(stubSend({ status: 307 }).send)(request())).status).toBe(307);
  });
});
