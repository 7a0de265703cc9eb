/** The hosts of a start that its functions must reach though their addresses are private: the operator's allow list (DESIGN §3.27). */
import { lookup } from 'node:dns/promises';
import { literalAddress } from '../../lib/egress/address.ts';

const hostOf = (registry: string): string => registry.replace(/:\d{1,5}$/u, '').replace(/^\[(.*)\]$/u, '$1');

/** Addresses of registries and git servers, given as `host` or `host:port`. A name that does not resolve here has none. */
export const addressesOf = async (hosts: readonly string[]): Promise<readonly string[]> => {
  const found = await Promise.all(
    hosts.map(hostOf).map(async (host) => {
      if (literalAddress(host) !== undefined) return [host];
      const answers = await lookup(host, { all: true }).catch(() => []);
      return answers.map(({ address }) => address);
    }),
  );
  return [...new Set(found.flat())];
};

/** The setting: what whoever starts has set, and these. */
export const egressAllow = (given: string | undefined, addresses: readonly string[]): string =>
  [...(given ? [given] : []), ...addresses].join(',');

/** What is said of it at the start, once. */
export const egressSaid = (addresses: readonly string[]): string =>
  `let through by address: ${addresses.join(', ') || 'none'} (registry and git server of this start); other private hosts by KPACKLESS_EGRESS_ALLOW or KPACKLESS_EGRESS_PRIVATE=allow`;
