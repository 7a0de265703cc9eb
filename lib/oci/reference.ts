/**
 * Image names: `[registry/]repository[:tag][@digest]` with Docker Hub's defaults and weak validation (distribution-spec "Pulling
 * manifests"; spec 04 §9.1). Registry, repository and tag are kept apart, so that nobody splits a name on `:` or `@` again.
 */
import { PermanentError } from '../errors/expected.ts';
import { printable } from '../text/printable.ts';
import { type Digest, isDigest } from './digest.ts';

/** Docker Hub's canonical host; `docker.io` and names without a registry mean it. */
export const dockerHub = 'index.docker.io';

/** A place for manifests and blobs. */
export interface Repository {
  /** `host` or `host:port`; Docker Hub is always `index.docker.io`. */
  readonly registry: string;
  /** Path without the registry, such as `library/busybox`. */
  readonly path: string;
}

/** One manifest in a repository: by digest when that is known (a tag beside it is dropped, as kpack does), else by tag. */
export type Reference = TagReference | DigestReference;

/** A reference by tag. */
export interface TagReference extends Repository {
  readonly tag: string;
  readonly digest?: undefined;
}

/** A reference by digest: what it names never changes. */
export interface DigestReference extends Repository {
  readonly tag?: undefined;
  readonly digest: Digest;
}

/** Host, port, path, tag and digest at their longest have some 750 characters. */
const longest = 1024;

const registryPattern = /^(?:\[[0-9a-fA-F:]+\]|[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?)(?::\d{1,5})?$/;
const pathPattern = /^[a-z0-9_./-]{2,255}$/;
const tagPattern = /^[A-Za-z0-9_.-]{1,128}$/;

/** True when the text may be a tag: 1 to 128 of `[A-Za-z0-9_.-]`, but not `.` or `..`, which a URL would swallow. */
export const isTag = (text: string): boolean => tagPattern.test(text) && text !== '.' && text !== '..';

const repositoryFrom = (name: string): Repository | undefined => {
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  const named = /[.:]/.test(first);
  const registry = named && first !== 'docker.io' ? first : dockerHub;
  const path = named ? name.slice(slash + 1) : name;
  // A path never climbs: `.` and `..` segments and empty ones would be rewritten by URL parsing into another request.
  if (!registryPattern.test(registry) || !pathPattern.test(path)) return undefined;
  // A port above 65535 or an address with a 256 in it is no host, whatever the pattern says.
  if (!URL.canParse(`https://${registry}/`)) return undefined;
  if (path.split('/').some((segment) => segment === '' || segment === '.' || segment === '..')) return undefined;
  return { registry, path: registry === dockerHub && !path.includes('/') ? `library/${path}` : path };
};

const tagFrom = (text: string): TagReference | undefined => {
  const colon = text.lastIndexOf(':');
  const tagged = colon >= 0 && !text.includes('/', colon);
  const repository = repositoryFrom(tagged ? text.slice(0, colon) : text);
  const tag = (tagged && text.slice(colon + 1)) || 'latest';
  return repository !== undefined && isTag(tag) ? { ...repository, tag } : undefined;
};

const referenceFrom = (text: string): Reference | undefined => {
  if (text.length > longest) return undefined;
  const at = text.indexOf('@');
  if (at < 0) return tagFrom(text);
  const named = tagFrom(text.slice(0, at));
  const digest = text.slice(at + 1);
  if (named === undefined || !isDigest(digest)) return undefined;
  return { registry: named.registry, path: named.path, digest };
};

/**
 * The name a user wrote, taken apart: `busybox` is `index.docker.io/library/busybox:latest`; `localhost:5000/a` is a registry with a
 * port; `a/b:1@sha256:…` is by digest. Throws PermanentError `could not parse reference: TEXT`.
 */
export const parseReference = (text: string): Reference => {
  const reference = referenceFrom(text);
  if (reference === undefined) throw new PermanentError('', `could not parse reference: ${printable(text, longest)}`);
  return reference;
};

/** As parseReference, for what must be a tag to push to. Throws PermanentError for a digest or a bad name. */
export const parseTag = (text: string): TagReference => {
  const reference = parseReference(text);
  if (reference.tag === undefined) throw new PermanentError('', `could not parse reference: ${text}`);
  return reference;
};

/** The repository of a name, its tag and digest left out. Throws PermanentError for a bad name. */
export const parseRepository = (text: string): Repository => repositoryOf(parseReference(text));

/** The repository a reference is in. */
export const repositoryOf = ({ registry, path }: Repository): Repository => ({ registry, path });

/** Tag or digest: the last segment of `/v2/<path>/manifests/<identifier>`. */
export const identifierOf = (reference: Reference): string => reference.digest ?? reference.tag;

/** `REGISTRY/PATH`, canonical: two names of one repository print alike. */
export const printRepository = ({ registry, path }: Repository): string => `${registry}/${path}`;

/** `REGISTRY/PATH:TAG` or `REGISTRY/PATH@DIGEST`, canonical; parses back to the same reference. */
export const printReference = (reference: Reference): string =>
  reference.digest === undefined
    ? `${printRepository(reference)}:${reference.tag}`
    : `${printRepository(reference)}@${reference.digest}`;

/** The same repository under a tag. Throws PermanentError when the tag is malformed. */
export const withTag = (repository: Repository, tag: string): TagReference => {
  if (!isTag(tag)) throw new PermanentError('', `could not parse reference: ${printRepository(repository)}:${tag}`);
  return { ...repositoryOf(repository), tag };
};

/** The same repository at a digest. */
export const withDigest = (repository: Repository, digest: Digest): DigestReference => ({
  ...repositoryOf(repository),
  digest,
});

/** The host as URLs have it: in lower case, without the port that https means anyway. Two names of one host are alike. */
export const canonicalHost = (registry: string): string => registry.toLowerCase().replace(/:443$/, '');

/** True when both name the same repository of the same registry. */
export const sameRepository = (a: Repository, b: Repository): boolean => a.registry === b.registry && a.path === b.path;

/** True when both names are of the same repository, whatever their tags and digests are; a name that is none lies nowhere. */
export const liesWith = (name: string, other: string): boolean => {
  const [a, b] = [name, other].map((one) => referenceFrom(one.split('@', 1)[0] ?? ''));
  return a !== undefined && b !== undefined && sameRepository(a, b);
};
