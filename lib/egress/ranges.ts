/** What kind of address an address is (IANA special-purpose address registries for IPv4 and IPv6; RFC 6890). */
import type { Address } from './address.ts';
import { type Cidr, holds, parseCidr } from './cidr.ts';

/** Kinds of addresses. Only `public` is anybody's to dial; `private` by setting. */
export type AddressKind =
  | 'broadcast'
  | 'documentation'
  | 'link-local'
  | 'loopback'
  | 'metadata'
  | 'multicast'
  | 'private'
  | 'public'
  | 'reserved'
  | 'tunnel'
  | 'unspecified';

/** One range and its kind, as text. */
type Row = readonly [range: string, kind: AddressKind];

/** The most specific row decides, so `::/0` speaks for what no other row names. */
export const addressRanges: readonly Row[] = [
  ['0.0.0.0/0', 'public'],
  ['0.0.0.0/8', 'unspecified'],
  ['10.0.0.0/8', 'private'],
  // Shared address space: carriers, and pods of EKS.
  ['100.64.0.0/10', 'private'],
  // Alibaba Cloud.
  ['100.100.100.200/32', 'metadata'],
  ['127.0.0.0/8', 'loopback'],
  // Azure's wire server, an address that is public by number alone.
  ['168.63.129.16/32', 'metadata'],
  ['169.254.0.0/16', 'link-local'],
  ['169.254.169.254/32', 'metadata'],
  // Credentials of ECS tasks and of EKS pods.
  ['169.254.170.2/32', 'metadata'],
  ['169.254.170.23/32', 'metadata'],
  ['172.16.0.0/12', 'private'],
  ['192.0.0.0/24', 'reserved'],
  // Oracle Cloud.
  ['192.0.0.192/32', 'metadata'],
  ['192.0.2.0/24', 'documentation'],
  ['192.88.99.0/24', 'tunnel'],
  ['192.168.0.0/16', 'private'],
  // Benchmarks by registry, pods of EKS in practice.
  ['198.18.0.0/15', 'private'],
  ['198.51.100.0/24', 'documentation'],
  ['203.0.113.0/24', 'documentation'],
  ['224.0.0.0/4', 'multicast'],
  ['240.0.0.0/4', 'reserved'],
  ['255.255.255.255/32', 'broadcast'],
  ['::/0', 'reserved'],
  ['::/128', 'unspecified'],
  ['::1/128', 'loopback'],
  // NAT64 of everybody: judged by the IPv4 address within.
  ['64:ff9b::/96', 'public'],
  ['64:ff9b:1::/48', 'tunnel'],
  ['2000::/3', 'public'],
  ['2001::/23', 'reserved'],
  ['2001::/32', 'tunnel'],
  ['2001:db8::/32', 'documentation'],
  ['2002::/16', 'tunnel'],
  ['3fff::/20', 'documentation'],
  ['fc00::/7', 'private'],
  // AWS: instance metadata, DNS, credentials of EKS pods.
  ['fd00:ec2::/32', 'metadata'],
  // Google Cloud.
  ['fd20:ce::254/128', 'metadata'],
  ['fe80::/10', 'link-local'],
  ['ff00::/8', 'multicast'],
];

/** A range that decided, and what it says. */
export interface KnownRange {
  readonly cidr: Cidr;
  readonly kind: AddressKind;
}

const bySize: readonly KnownRange[] = addressRanges
  .map(([range, kind]) => ({ cidr: parseCidr(range), kind }))
  .toSorted((a, b) => b.cidr.prefix - a.cidr.prefix);

/** The most specific range that holds the address. */
export const rangeOf = (address: Address): KnownRange => {
  const found = bySize.find(({ cidr }) => holds(cidr, address));
  // Both families have a range that holds everything.
  if (found === undefined) throw new Error('an address of no range');
  return found;
};
