/** Which addresses may be dialled on a tenant's word (DESIGN §3.27): deny beats allow beats the kind of the address. */
import { type Address, reachedBy } from './address.ts';
import { type Cidr, holds } from './cidr.ts';
import { type AddressKind, rangeOf } from './ranges.ts';

/** The operator's settings. */
export interface EgressPolicy {
  readonly allow: readonly Cidr[];
  readonly deny: readonly Cidr[];
  /** Are private ranges allowed? */
  readonly privateRanges: boolean;
}

/** Why an address is not dialled, for people: what it is and what changes that. Never the address itself. */
export interface Refusal {
  readonly what: string;
  readonly remedy: string;
}

/** Gives the refusal; undefined when the address may be dialled. */
export type Judge = (address: Address) => Refusal | undefined;

const whatIs: Readonly<Record<Exclude<AddressKind, 'public'>, string>> = {
  broadcast: 'a broadcast address',
  documentation: 'an address for documentation',
  'link-local': 'a link-local address',
  loopback: 'a loopback address',
  metadata: 'an address of cloud metadata',
  multicast: 'a multicast address',
  private: 'a private address',
  reserved: 'a reserved address',
  tunnel: 'an address of a tunnel',
  unspecified: 'an unspecified address',
};

const byNameOnly = 'only an entry of its own in KPACKLESS_EGRESS_ALLOW lets it in';
const bySetting = 'KPACKLESS_EGRESS_PRIVATE=allow or an entry in KPACKLESS_EGRESS_ALLOW lets it in';

/**
 * The rule. An address that carries another counts as both. A wide entry of the allow list opens private ranges, but what is never dialled by
 * default only when the entry lies within its range: `0.0.0.0/0` lets nobody reach metadata.
 */
export const judgeBy = ({ allow, deny, privateRanges }: EgressPolicy): Judge => {
  const judgeOne = (address: Address): Refusal | undefined => {
    const { cidr, kind } = rangeOf(address);
    if (kind === 'public' || (kind === 'private' && privateRanges)) return undefined;
    const isLetIn = allow.some((entry) => holds(entry, address) && (kind === 'private' || entry.prefix >= cidr.prefix));
    if (isLetIn) return undefined;
    return { what: whatIs[kind], remedy: kind === 'private' ? bySetting : byNameOnly };
  };
  return (address) => {
    const reached = reachedBy(address);
    if (reached.some((one) => deny.some((entry) => holds(entry, one))))
      return { what: 'an address that the operator refuses', remedy: 'KPACKLESS_EGRESS_DENY holds it' };
    for (const one of reached) {
      const refusal = judgeOne(one);
      if (refusal !== undefined) return refusal;
    }
    return undefined;
  };
};

/** The rule for requests without TLS: what may be dialled, and of that only loopback and private addresses. */
export const judgeInTheClear =
  (judge: Judge): Judge =>
  (address) => {
    const refusal = judge(address);
    if (refusal !== undefined) return refusal;
    const kinds = reachedBy(address).map((one) => rangeOf(one).kind);
    return kinds.every((kind) => kind === 'loopback' || kind === 'private')
      ? undefined
      : { what: 'an address that is not private', remedy: 'plain http stays among private addresses; use https' };
  };
