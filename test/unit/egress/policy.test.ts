import { describe, expect, it } from 'vitest';
import { parseAddress } from '../../../lib/egress/address.ts';
import { parseCidr, parseCidrs } from '../../../lib/egress/cidr.ts';
import { judgeBy, judgeInTheClear } from '../../../lib/egress/policy.ts';
import { addressRanges, rangeOf } from '../../../lib/egress/ranges.ts';

const address = (text: string) => parseAddress(text) ?? { family: 4 as const, value: 0n };
const judge = ({ allow = '', deny = '', privateRanges = false } = {}) =>
  judgeBy({ allow: parseCidrs(allow), deny: parseCidrs(deny), privateRanges });
const refused = (texts: readonly string[], policy = {}) =>
  texts.filter((text) => judge(policy)(address(text)) !== undefined);

const internal = [
  '127.0.0.1',
  '127.255.255.254',
  '0.0.0.0',
  '0.1.2.3',
  '169.254.169.254',
  '169.254.170.2',
  '169.254.1.1',
  '224.0.0.1',
  '255.255.255.255',
  '240.0.0.1',
  '192.0.0.192',
  '192.0.2.1',
  '198.51.100.1',
  '203.0.113.1',
  '100.100.100.200',
  '168.63.129.16',
  '::',
  '::1',
  'fe80::1',
  'febf::1',
  'fec0::1',
  'ff02::1',
  'fd00:ec2::254',
  'fd00:ec2::23',
  'fd00:ec2:ffff::1',
  'fd20:ce::254',
  '::ffff:127.0.0.1',
  '::ffff:169.254.169.254',
  '::127.0.0.1',
  '64:ff9b::127.0.0.1',
  '64:ff9b::169.254.169.254',
  '64:ff9b:1::1.1.1.1',
  '2002:7f00:1::',
  '2002:101:101::',
  '2001::1',
  '2001:db8::1',
  '3fff::1',
  '100::1',
  '4000::1',
];
const privates = [
  '10.0.0.1',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '100.64.0.1',
  '100.127.255.255',
  '198.19.0.1',
  'fc00::1',
  'fd12::1',
  '::ffff:10.0.0.1',
  '64:ff9b::10.0.0.1',
];
const anybodys = ['1.1.1.1', '172.32.0.1', '100.128.0.1', '2606:4700::1', '64:ff9b::1.1.1.1', '::ffff:1.1.1.1'];

describe('who may be dialled', () => {
  it('by default: public addresses', () => {
    expect(refused([...internal, ...privates, ...anybodys])).toEqual([...internal, ...privates]);
  });

  it('with private ranges allowed: those as well, and nothing else', () => {
    expect(refused([...internal, ...privates, ...anybodys], { privateRanges: true })).toEqual(internal);
  });

  it('with an entry that lies in the range: it, and nothing beside it', () => {
    expect(refused(['10.1.0.1', '10.2.0.1'], { allow: '10.1.0.0/16' })).toEqual(['10.2.0.1']);
    expect(refused(['127.0.0.1', '127.0.0.2'], { allow: '127.0.0.1' })).toEqual(['127.0.0.2']);
    expect(refused(['169.254.1.1', '169.254.169.254'], { allow: '169.254.0.0/16' })).toEqual(['169.254.169.254']);
    expect(refused(['169.254.169.254'], { allow: '169.254.169.254/32' })).toEqual([]);
  });

  it('with wide entries: private ranges, but nothing that is never dialled by default', () => {
    const wide = { allow: '0.0.0.0/0 ::/0' };
    expect(refused(privates, wide)).toEqual([]);
    expect(refused(['127.0.0.1', '169.254.169.254', '::1', 'fd00:ec2::254', '::ffff:127.0.0.1'], wide)).toHaveLength(5);
  });

  it('never what is denied, in whatever form, even where it is allowed too', () => {
    const policy = { allow: '10.0.0.0/8', deny: '10.0.0.1,1.1.1.1,2606:4700::/32', privateRanges: true };
    expect(refused([...anybodys, '10.0.0.1', '10.0.0.2', '64:ff9b::10.0.0.1', '::ffff:10.0.0.1'], policy)).toEqual([
      '1.1.1.1',
      '2606:4700::1',
      '64:ff9b::1.1.1.1',
      '::ffff:1.1.1.1',
      '10.0.0.1',
      '64:ff9b::10.0.0.1',
      '::ffff:10.0.0.1',
    ]);
  });

  it('when an address carries another: only if both may be', () => {
    expect(refused(['64:ff9b:1::10.0.0.1'], { allow: '64:ff9b:1::/48' })).toHaveLength(1);
    expect(refused(['64:ff9b:1::10.0.0.1'], { allow: '64:ff9b:1::/48 10.0.0.0/8' })).toEqual([]);
  });

  it('without TLS: only loopback and private addresses, of those that may be dialled', () => {
    const clear = judgeInTheClear(judge({ allow: '127.0.0.1 10.0.0.0/8' }));
    const texts = ['127.0.0.1', '10.0.0.1', '::ffff:10.0.0.1', '1.1.1.1', '2606:4700::1', '192.168.0.1', '127.0.0.2'];
    expect(texts.filter((text) => clear(address(text)) === undefined)).toEqual([
      '127.0.0.1',
      '10.0.0.1',
      '::ffff:10.0.0.1',
    ]);
  });
});

describe('the table of ranges', () => {
  it('says of every range its kind, unless a more specific one begins there', () => {
    const wrong = addressRanges.filter(([range, kind]) => {
      const { kind: found, cidr } = rangeOf(parseCidr(range));
      return cidr.prefix === parseCidr(range).prefix && found !== kind;
    });
    expect(wrong).toEqual([]);
    expect(new Set(addressRanges.map(([range]) => range)).size).toBe(addressRanges.length);
  });
});

describe('a list of ranges', () => {
  it('has commas or spaces between its entries, and may be empty', () => {
    expect(parseCidrs(' 10.0.0.0/8,fd00::/8  ::1\n')).toHaveLength(3);
    expect(parseCidrs('')).toEqual([]);
  });

  it('takes IPv4 written as IPv6', () => {
    expect(parseCidr('::ffff:10.0.0.0/104')).toEqual(parseCidr('10.0.0.0/8'));
    expect(parseCidr('::ffff:10.0.0.1')).toEqual(parseCidr('10.0.0.1/32'));
  });

  it.each([
    ['10.0.0.1/8', /bits behind its prefix of 8: write the first address/],
    ['10.0.0.0/33', /longer than 32 bits/],
    ['fd00::/129', /longer than 128 bits/],
    ['10.0.0.0/', /is not a range/],
    ['10/8', /is not a range/],
    ['example.com', /is not a range/],
    ['::ffff:0:0/90', /bits behind|write it as IPv4/],
  ])('refuses %s', (text, why) => {
    expect(() => parseCidrs(`1.1.1.1,${text}`)).toThrow(why);
  });
});
