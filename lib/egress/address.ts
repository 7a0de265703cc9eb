/** IP addresses as numbers, read from every way of writing them that a resolver would take (RFC 4291 §2.2, RFC 6943 §3.1.1). */
import { isIPv4, isIPv6 } from 'node:net';

/** An address: `value` has 32 bits in family 4, 128 in family 6. */
export interface Address {
  readonly family: 4 | 6;
  readonly value: bigint;
}

/** Bits of an address of the family. */
export const bitsOf = (family: 4 | 6): number => (family === 4 ? 32 : 128);

const ipv4 = (value: bigint): Address => ({ family: 4, value });

const dotted = (text: string): bigint => text.split('.').reduce((value, part) => (value << 8n) | BigInt(part), 0n);

const groups = (text: string): readonly bigint[] =>
  text === '' ? [] : text.split(':').flatMap((group) => (group.includes('.') ? halves(dotted(group)) : [hex(group)]));

const hex = (group: string): bigint => BigInt(`0x${group}`);
const halves = (value: bigint): readonly bigint[] => [value >> 16n, value & 0xffffn];

const colons = (text: string): bigint => {
  const [before = '', after] = text.split('::');
  const [head, tail] = [groups(before), after === undefined ? [] : groups(after)];
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => 0n);
  return [...head, ...zeros, ...tail].reduce((value, group) => (value << 16n) | group, 0n);
};

/** The address that a text in standard form is, with or without a zone behind it; undefined for any other text. */
export const parseAddress = (text: string): Address | undefined => {
  if (isIPv4(text)) return ipv4(dotted(text));
  return isIPv6(text) ? { family: 6, value: colons(text.split('%', 1)[0] ?? '') } : undefined;
};

const part = (text: string): bigint | undefined => {
  if (/^0x[\da-f]{0,16}$/iu.test(text)) return text.length === 2 ? 0n : BigInt(text);
  if (/^0[0-7]{0,24}$/u.test(text)) return BigInt(`0o${text}`);
  return /^[1-9]\d{0,18}$/u.test(text) ? BigInt(text) : undefined;
};

/** IPv4 as `inet_aton` takes it: one to four parts, each decimal, octal or hex, of which the last fills the rest. */
const classicIpv4 = (text: string): Address | undefined => {
  const parts = text.replace(/\.$/u, '').split('.', 5).map(part);
  const last = parts.pop();
  if (last === undefined || parts.length > 3) return undefined;
  if (last >= 1n << BigInt(32 - 8 * parts.length)) return undefined;
  let value = last;
  for (const [index, one] of parts.entries()) {
    if (one === undefined || one > 255n) return undefined;
    value += one << BigInt(24 - 8 * index);
  }
  return ipv4(value);
};

/** The address that a host is, in whatever form: `[::1]`, `127.0.0.1`, `127.1`, `0x7f.1`, `2130706433`. Undefined for a name. */
export const literalAddress = (host: string): Address | undefined => {
  const bare = host.replace(/^\[(.*)\]$/u, '$1');
  return parseAddress(bare) ?? classicIpv4(bare);
};

/** An IPv4 address in its usual form. */
export const printIpv4 = ({ value }: Address): string =>
  [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join('.');

const low32 = 0xffffffffn;
const is = (value: bigint, prefix: string, bits: number): boolean =>
  value >> BigInt(128 - bits) === colons(prefix) >> BigInt(128 - bits);

/**
 * Everything that may be reached by dialling an address: itself, and IPv4 addresses that it carries for translators and tunnels. An
 * IPv4-mapped address is its IPv4 address and nothing else. Source: RFC 4291 §2.5.5, 6052, 7915, 8215, 3056, 4380.
 */
export const reachedBy = (address: Address): readonly Address[] => {
  const { family, value } = address;
  if (family === 4) return [address];
  if (is(value, '::ffff:0:0', 96)) return [ipv4(value & low32)];
  const carried: bigint[] = [];
  // IPv4-compatible; the first 2^24 (::1 among them) would carry 0.0.0.0/8, which is nobody.
  if (is(value, '::', 96) && value >> 24n !== 0n) carried.push(value);
  if (is(value, '::ffff:0:0:0', 96) || is(value, '64:ff9b::', 96)) carried.push(value);
  // A network's own NAT64 prefix: as part of /48 or at the end of /96, whichever is not empty.
  if (is(value, '64:ff9b:1::', 48))
    carried.push(
      ...[value, ((value >> 64n) << 16n) | ((value >> 40n) & 0xffffn)].filter((one) => (one & low32) >> 24n !== 0n),
    );
  if (is(value, '2002::', 16)) carried.push(value >> 80n);
  if (is(value, '2001::', 32)) carried.push(value >> 64n, ~value);
  return [address, ...carried.map((one) => ipv4(one & low32))];
};
