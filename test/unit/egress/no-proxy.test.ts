/** What a list in NO_PROXY means: the table of Go's own test (golang.org/x/net/http/httpproxy), and more of the same kinds. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { noProxyRule } from '../../../lib/egress/no-proxy.ts';

const excepts = (list: string, host: string, scheme = 'http'): boolean =>
  noProxyRule(list)(new URL(`${scheme}://${host}/v2/`));

/** Go's. */
const list =
  'foobar.com, .barbaz.net, *.wildcard.io, 192.168.1.1, 192.168.1.2:81, 192.168.1.3:80, 10.0.0.0/30, 2001:db8::52:0:1, [2001:db8::52:0:2]:443, [2001:db8::52:0:3]:80, 2002:db8:a::45/64';

describe('a list in NO_PROXY', () => {
  it.each([
    ['192.168.1.1', true],
    ['192.168.1.2', false],
    ['192.168.1.3', true],
    ['192.168.1.4', false],
    ['10.0.0.2', true],
    ['10.0.0.4', false],
    ['[2001:db8::52:0:1]', true],
    ['[2001:db8::52:0:2]', false],
    ['[2001:db8::52:0:3]', true],
    ['[2002:db8:a::123]', true],
    ['[fe80::424b:c8be:1643:a1b6]', false],
    ['barbaz.net', false],
    ['www.barbaz.net', true],
    ['foobar.com', true],
    ['www.foobar.com', true],
    ['foofoobar.com', false],
    ['baz.com', false],
    ['barbarbaz.net', false],
    ['wildcard.io', false],
    ['nested.wildcard.io', true],
    ['awildcard.io', false],
    ['localhost', true],
    ['127.0.0.1', true],
    ['127.0.0.2:8080', true],
    ['[::1]:5000', true],
    ['[::2]', false],
  ])('says of %s what Go says: %s', (host, excepted) => {
    expect(excepts(list, host)).toBe(excepted);
  });

  it.each([
    ['', 'example.com', false],
    ['*', 'example.com', true],
    ['a.example, *', '10.1.2.3', true],
    [' ,, ', 'example.com', false],
    ['a.example b.example', 'b.example', true],
    ['EXAMPLE.com', 'Sub.Example.COM', true],
    ['example.com.', 'example.com', true],
    ['example.com', 'example.com.', true],
    ['bücher.example', 'xn--bcher-kva.example', true],
    ['10.0.0.0/8', '10.255.255.255:5000', true],
    ['10.20.30.40/8', '10.1.1.1', true],
    ['10.0.0.0/8', '11.0.0.1', false],
    ['10.0.0.0/8', '10.example.com', false],
    ['10.0.0.0/33', '10.0.0.1', false],
    ['0.0.0.0/0', '1.2.3.4', true],
    ['0.0.0.0/0', '[2001:db8::1]', false],
    ['::ffff:10.0.0.0/104', '10.20.30.40', true],
    ['::ffff:10.0.0.0/104', '11.0.0.1', false],
    ['10.0.0.0/8:443', '10.0.0.1:443', false],
    ['10.0.0', '10.0.0.1', false],
    ['10.*', '10.0.0.1', false],
    ['exam*.com', 'example.com', false],
    ['example.com/', 'example.com', false],
    ['example.com/v2', 'example.com', false],
    ['https://example.com', 'example.com', false],
    ['example.com;b.example', 'b.example', false],
    ['"example.com"', 'example.com', false],
    ['\texample.com\n', 'example.com', true],
    ['', 'foo.localhost', false],
    ['', 'localhost.:5000', true],
    ['::/0', '[2001:db8::1]', true],
    ['fd00::/8', '[fd12::1]:5000', true],
    ['192.168.0.0/16', '[::ffff:192.168.1.1]', true],
    ['::1', '[::1]:8080', true],
    ['[::1]', '[::1]:8080', true],
    ['[::1]:8080', '[::1]:8080', true],
    ['[fd00::1]:8080', '[fd00::1]:8081', false],
    ['example.com:8080', 'sub.example.com:8080', true],
    ['example.com:8080', 'example.com', false],
    ['.example.com:8080', 'sub.example.com:8080', true],
    ['.example.com:8080', 'example.com:8080', false],
    [':80', 'example.com', false],
    ['.', 'example.com', false],
    ['localhost', 'localhost:5000', true],
    ['local', 'registry.local:5000', true],
  ])('%j says of %s: %s', (entries, host, excepted) => {
    expect(excepts(entries, host)).toBe(excepted);
  });

  it('takes the port of the scheme where the URL has none', () => {
    expect([excepts('example.com:443', 'example.com', 'https'), excepts('example.com:443', 'example.com')]).toEqual([
      true,
      false,
    ]);
  });

  it('may be anything', () => {
    const anything = fc.property(
      fc.string({ unit: 'binary' }),
      fc.webUrl(),
      (entries, url) => typeof noProxyRule(entries)(new URL(url)) === 'boolean',
    );
    expect(fc.check(anything)).toMatchObject({ failed: false });
  });
});
