/** Which grant of a cluster's registration lets whom do what (DESIGN §3.25). Pure rules; grant-keychain.ts turns a grant into a credential. */
import type { Behalf } from '../buildpacks/opening.ts';
import { ecrRegistryOf } from '../oci/ecr.ts';
import type { Use } from '../oci/keychain.ts';
import { canonicalHost, type Repository } from '../oci/reference.ts';
import type { RegistryGrant } from '../state/clusters.ts';

const segmentPattern = /^[a-z0-9._-]{1,255}$/;
const isSegment = (text: string): boolean => segmentPattern.test(text) && text !== '.' && text !== '..';

/** A grant's prefix, taken apart; no segments mean the whole registry. */
interface Prefix {
  readonly host: string;
  readonly segments: readonly string[];
}

/** Registry and path segments of a prefix; undefined for what is none, or is at no registry that knows cloud identities. */
export const prefixOf = (text: string): Prefix | undefined => {
  const [host = '', ...segments] = text.split('/');
  if (text.length > 512 || ecrRegistryOf(host) === undefined || !segments.every(isSegment)) return undefined;
  return { host: canonicalHost(host), segments };
};

/** Whether the prefix covers the repository: the same host, and its segments are the first of the path's. `team-a` is not `team-ab`. */
const covers = (text: string, { registry, path }: Repository): boolean => {
  const prefix = prefixOf(text);
  if (prefix === undefined || prefix.host !== canonicalHost(registry)) return false;
  const segments = path.split('/');
  return segments.every(isSegment) && prefix.segments.every((segment, index) => segment === segments[index]);
};

const isGivenTo = ({ namespaces, clusterScoped }: RegistryGrant, behalf: Behalf): boolean =>
  behalf === 'cluster-scoped'
    ? clusterScoped
    : behalf.namespace !== '' && (namespaces.includes('*') || namespaces.includes(behalf.namespace));

/** Grants that let the behalf read the repository, the most particular first. */
export const grantsAt = (
  grants: readonly RegistryGrant[],
  behalf: Behalf,
  repository: Repository,
): readonly RegistryGrant[] =>
  grants
    .filter((grant) => isGivenTo(grant, behalf) && covers(grant.prefix, repository))
    .toSorted((a, b) => b.prefix.length - a.prefix.length);

/**
 * The grant that allows one request; undefined when none does. A credential of AWS cannot be narrowed to what was granted, so the request is:
 * only to the repository's own addresses, by writing only what may be written, and with a mount only from where the same identity is granted.
 */
export const grantFor = (
  grants: readonly RegistryGrant[],
  behalf: Behalf,
  repository: Repository,
  { access, from, within }: Use,
): RegistryGrant | undefined => {
  if (!within) return undefined;
  const sources = from === undefined ? undefined : grantsAt(grants, behalf, from);
  return grantsAt(grants, behalf, repository).find(
    (grant) =>
      (access === 'read' || grant.access === 'write') &&
      (sources === undefined || sources.some(({ roleArn }) => roleArn === grant.roleArn)),
  );
};
