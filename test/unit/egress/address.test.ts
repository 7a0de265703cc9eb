import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { literalAddress, parseAddress, printIpv4, reachedBy } from '../../../lib/egress/address.ts';

const v4 = (text: string) => literalAddress(text) && printIpv4(literalAddress(text) ?? { family: 4, value: 0n });

describe('a host that is an address', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['127.0.0.1.', '127.0.0.1'],
    ['127.1', '127.0.0.1'],
    ['127.0.1', '127.0.0.1'],
    ['2130706433', '127.0.0.1'],
    ['0177.1', '127.0.0.1'],
    ['0177.0.0.01', '127.0.0.1'],
    ['017700000001', '127.0.0.1'],
    ['0x7f.1', '127.0.0.1'],
    ['0X7F000001', '127.0.0.1'],
    ['0x7f.0.0x0.1', '127.0.0.1'],
    ['0xa9fea9fe', '169.254.169.254'],
    ['169.254.43518', '169.254.169.254'],
    ['0', '0.0.0.0'],
    ['0x', '0.0.0.0'],
    ['4294967295', '255.255.255.255'],
  ])('%s is %s', (text, address) => {
    expect(v4(text)).toBe(address);
  });

  it.each([
    '',
    '.',
    '127..1',
    '127.0.0.0.1',
    '256.1',
    '4294967296',
    '1.2.3.256',
    '08.1',
    '0x7g',
    'localhost',
    '127.0.0.1.nip.io',
    '1e3',
    '-1',
    '1.2.3.4.5',
    '9'.repeat(30),
  ])('%j is none', (text) => {
    expect(literalAddress(text)).toBeUndefined();
  });

  it('is in brackets or not, with or without a zone', () => {
    for (const text of ['[::1]', '::1', '0:0:0:0:0:0:0:1', '::1%lo', '::0001', '::0.0.0.1'])
      expect(literalAddress(text)).toEqual({ family: 6, value: 1n });
  });

  it('is read as the URL standard reads it, for any four bytes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffffffff }), fc.constantFrom(10, 8, 16), (value, radix) => {
        const text = `${{ 10: '', 8: '0', 16: '0x' }[radix] ?? ''}${value.toString(radix)}`;
        expect(v4(text)).toBe(new URL(`http://${text}/`).hostname);
      }),
    );
  });

  it('is the same number in each form of IPv6 that there is', () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const canonical = new URL(`http://[${text}]/`).hostname;
        expect(literalAddress(canonical)).toEqual(parseAddress(text));
      }),
    );
  });
});

describe('an address that carries another', () => {
  const carried = (text: string) => {
    const address = parseAddress(text);
    return address === undefined ? [] : reachedBy(address).map((one) => (one.family === 4 ? printIpv4(one) : 'v6'));
  };
  it.each([
    ['::ffff:127.0.0.1', ['127.0.0.1']],
    ['::ffff:7f00:1', ['127.0.0.1']],
    ['::127.0.0.1', ['v6', '127.0.0.1']],
    ['::ffff:0:127.0.0.1', ['v6', '127.0.0.1']],
    ['64:ff9b::169.254.169.254', ['v6', '169.254.169.254']],
    ['64:ff9b:1::127.0.0.1', ['v6', '127.0.0.1']],
    ['64:ff9b:1:7f00:0:100::', ['v6', '127.0.0.1']],
    ['2002:7f00:1::', ['v6', '127.0.0.1']],
    ['2001:0:7f00:1::', ['v6', '127.0.0.1', '255.255.255.255']],
    ['2001::80ff:fffe', ['v6', '0.0.0.0', '127.0.0.1']],
    ['::1', ['v6']],
    ['2600::1', ['v6']],
  ])('%s reaches %j', (text, reached) => {
    expect(carried(text)).toEqual(reached);
  });
});
