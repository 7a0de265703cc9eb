/**
 * A fetch that trusts further certificate authorities. The platform's fetch cannot take one, and trusting it process-wide would let it speak for
 * every host; so requests to https go through node:https with the CA beside the usual ones, the rest through fetch.
 */
import { rootCertificates } from 'node:tls';
import type { Fetch } from './fetch-send.ts';
import { httpsAgent, nodeFetch } from './node-fetch.ts';

/** `fetch`, with the PEM certificates in `ca` trusted for the hosts `trustFor` says, all unless given. Never follows redirects. */
export const httpsFetch = (ca: string, trustFor: (host: string) => boolean = () => true): Fetch => {
  const trusting = nodeFetch(httpsAgent([...rootCertificates, ca]));
  return (url, init) =>
    url.protocol === 'https:' && trustFor(url.host) ? trusting(url, init) : globalThis.fetch(url, init);
};
