/** Proxies of the environment: nothing goes out directly that was to go through one. */
import { describe, expect, it } from 'vitest';
import { proxiesIn } from '../../../lib/egress/proxied.ts';

describe('a proxy', () => {
  it.each([
    ['http://proxy.example:3128', 'http://proxy.example:3128'],
    ['https://user:word@proxy.example', 'https://user:word@proxy.example'],
    ['proxy.example:3128', 'http://proxy.example:3128'],
    [' 10.0.0.1:8080 ', 'http://10.0.0.1:8080'],
  ])('written as %j is asked as %s', (written, asked) => {
    expect(proxiesIn({ HTTPS_PROXY: written, HOME: '/' })).toStrictEqual({ HTTPS_PROXY: asked });
  });

  it.each(['socks5://me:word@proxy.example:1080', 'socks://proxy', 'http://', '://'])(
    'that Node would pass over is refused, without its password: %s',
    (written) => {
      expect(() => proxiesIn({ https_proxy: written })).toThrow(
        'https_proxy names no proxy that can be spoken to: write http://HOST:PORT or https://HOST:PORT',
      );
    },
  );

  it('is none where the variable is empty', () => {
    expect(proxiesIn({ HTTP_PROXY: '', http_proxy: ' ' })).toStrictEqual({});
  });
});
