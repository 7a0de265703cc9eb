/**
 * Does a key of a docker config speak of a repository? Two sets of rules, as kpack has them (spec 04 §10): the exact forms for Secrets of
 * a ServiceAccount, and Kubernetes' own for image pull secrets — host globs per label, path prefixes, ports equal, longest key first.
 */
import type { Authorization } from './keychain.ts';
import { isPlainHttpAllowed } from './plain-http.ts';
import { dockerHub, printRepository, type Repository } from './reference.ts';

/** How `docker login` names Docker Hub. */
const hubKey = 'https://index.docker.io/v1/';
/** What people write instead. kpack knows none of them; we take them when nothing else matches. */
const hubAliases: ReadonlySet<string> = new Set(['docker.io', 'registry.hub.docker.com', 'registry-1.docker.io']);

/** The registry's host in the seven forms that kpack takes for exact keys (spec 03 §16.1). */
export const exactKeys = (registry: string): ReadonlySet<string> => {
  const host = registry === dockerHub ? hubKey : registry;
  const prefixed = [`https://${host}`, `http://${host}`];
  return new Set([host, ...prefixed, ...prefixed.flatMap((form) => [`${form}/v1/`, `${form}/v2/`])]);
};

/** A path with its escapes read, as Go's URLs have it; as it is where they are none. */
const unescaped = (path: string): string => {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
};

/**
 * The key as a URL, of which nothing counts but `host[:port][/path]`: scheme, user, query, fragment, `/v1/` and `/v2/` are taken off. Docker Hub's other
 * names become its own.
 */
export const bareKey = (key: string): string => {
  const bare = key.replace(/^https?:\/\//i, '').split('#', 1)[0] ?? '';
  const slash = bare.indexOf('/');
  const [authority, path] = slash < 0 ? [bare, ''] : [bare.slice(0, slash), bare.slice(slash)];
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  const rest = unescaped(path.split('?', 1)[0] ?? '').replace(/^\/v[12](?=\/|$)/, '');
  return `${hubAliases.has(host.toLowerCase()) ? dockerHub : host}${rest === '/' ? '' : rest}`;
};

/** The credential under this key for this registry: one that is written for https is for https alone, wherever plain http could be spoken. */
export const boundToScheme = <T extends Authorization>(key: string, registry: string, authorization: T): T =>
  /^https:\/\//i.test(key) && isPlainHttpAllowed(registry) ? { ...authorization, tlsOnly: true } : authorization;

/** `*` any run, `?` any one character; linear, whatever the pattern. */
const globMatches = (pattern: string, text: string): boolean => {
  let [p, t, star, mark] = [0, 0, -1, 0];
  while (t < text.length) {
    if (p < pattern.length && pattern[p] !== '*' && (pattern[p] === '?' || pattern[p] === text[t])) {
      p++;
      t++;
    } else if (pattern[p] === '*') {
      star = p++;
      mark = t;
    } else if (star >= 0) {
      p = star + 1;
      t = ++mark;
    } else return false;
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
};

const splitHost = (text: string): { readonly labels: readonly string[]; readonly port: string } => {
  const [, host = '', port = ''] = /^(.*?)(?::(\d*))?$/.exec(text) ?? [];
  return { labels: host.split('.'), port };
};

/** True when a bare key covers the repository: as many labels, each matching, the same port, and a path that the repository's begins with. */
export const coversRepository = (bare: string, repository: Repository): boolean => {
  const slash = bare.indexOf('/');
  const glob = splitHost(slash < 0 ? bare : bare.slice(0, slash));
  const target = splitHost(repository.registry);
  return (
    glob.port === target.port &&
    glob.labels.length === target.labels.length &&
    glob.labels.every((label, n) => globMatches(label, target.labels[n] ?? '')) &&
    printRepository(repository).startsWith(slash < 0 ? '/' : bare.slice(slash), repository.registry.length)
  );
};
