/** Ranges of addresses as operators write them. */
import { type Address, bitsOf, parseAddress, reachedBy } from './address.ts';

/** A range: the addresses of its family whose first `prefix` bits are those of `value`. */
export interface Cidr extends Address {
  readonly prefix: number;
}

/** What was wrong with a list, as a sentence that names the entry. */
export class CidrError extends Error {
  override readonly name = 'CidrError';
}

/** Does the range hold the address? */
export const holds = ({ family, value, prefix }: Cidr, address: Address): boolean => {
  const rest = BigInt(bitsOf(family) - prefix);
  return address.family === family && address.value >> rest === value >> rest;
};

const mappedPrefix = 96;

/** `10.0.0.0/8`, `fd00::/8`, or a single address. IPv4-mapped ranges become IPv4. @throws CidrError */
export const parseCidr = (text: string): Cidr => {
  const [, base = '', length] = /^([\da-f.:]+)(?:\/(\d{1,3}))?$/iu.exec(text) ?? [];
  const address = parseAddress(base);
  if (address === undefined)
    throw new CidrError(`${JSON.stringify(text)} is not a range such as 10.0.0.0/8 or fd00::/8`);
  const bits = bitsOf(address.family);
  const prefix = length === undefined ? bits : Number(length);
  if (prefix > bits) throw new CidrError(`${JSON.stringify(text)} has a prefix longer than ${bits} bits`);
  if (address.value & ((1n << BigInt(bits - prefix)) - 1n))
    throw new CidrError(
      `${JSON.stringify(text)} has bits behind its prefix of ${prefix}: write the first address of the range`,
    );
  const [reached = address] = reachedBy(address);
  if (reached.family === address.family) return { ...address, prefix };
  if (prefix < mappedPrefix) throw new CidrError(`${JSON.stringify(text)} is IPv4 written as IPv6: write it as IPv4`);
  return { ...reached, prefix: prefix - mappedPrefix };
};

/** Ranges with commas or spaces between them; none for an empty text. @throws CidrError for the first that is none */
export const parseCidrs = (text: string): readonly Cidr[] =>
  text
    .split(/[\s,]+/u)
    .filter((entry) => entry !== '')
    .map(parseCidr);
