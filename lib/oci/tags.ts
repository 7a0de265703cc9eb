/** Tags of a repository, page after page (distribution-spec "Listing Tags"). */
import { parseJson } from '../text/bounded-json.ts';
import { ToldUrl } from '../text/shown-url.ts';
import type { Api } from './api.ts';
import { invalidContent } from './errors.ts';
import { discard, readUpTo } from './http.ts';
import { nextIn } from './link.ts';
import { isTag, type Repository } from './reference.ts';
import type { CallOptions } from './registry.ts';
import { responseError } from './response-error.ts';

const pageSize = 1000;
/** Registries that leave out tags which nobody may see send pages without any; so many in a row are an end. */
const mostEmptyPages = 10;
const pageLimitBytes = 4 * 1024 * 1024;

/** The address in `Link: <…>; rel="next"` (RFC 8288), resolved; it may not leave the registry. */
const nextPage = (header: string | null, url: URL): URL | undefined => {
  const target = nextIn(header);
  if (target === undefined || !URL.canParse(target, url.href)) return undefined;
  const next = new ToldUrl(target, url);
  // Which one is not told: what somebody's internal service answers is nobody else's.
  if (next.host !== url.host)
    throw invalidContent('the next page of tags is on another host: a registry names its own', { method: 'GET', url });
  next.protocol = url.protocol;
  return next.href === url.href ? undefined : next;
};

const tagsIn = (bytes: Uint8Array | undefined, url: URL): readonly string[] => {
  const bad = invalidContent(`the list of tags is unreadable or longer than ${pageLimitBytes} bytes`, {
    method: 'GET',
    url,
  });
  if (bytes === undefined) throw bad;
  try {
    const parsed = parseJson(new TextDecoder().decode(bytes), { mostCharacters: pageLimitBytes }) as {
      readonly tags?: unknown;
    } | null;
    const tags: unknown = parsed?.tags ?? [];
    if (Array.isArray(tags)) return tags.filter((tag): tag is string => typeof tag === 'string' && isTag(tag));
  } catch {
    // Said below.
  }
  throw bad;
};

export const listTags = async (
  api: Api,
  repository: Repository,
  { limit = 10_000, ...options }: CallOptions & { readonly limit?: number } = {},
): Promise<readonly string[]> => {
  const found: string[] = [];
  let empty = 0;
  let to: string | URL | undefined = `tags/list?n=${Math.min(pageSize, limit)}`;
  while (to !== undefined && found.length < limit) {
    const response = await api.call(repository, { ...options, method: 'GET', to, actions: ['pull'] });
    if (response.status === 404) {
      await discard(response);
      return found;
    }
    if (response.status !== 200) throw await responseError('GET', response, api.session.now());
    const page = tagsIn(await readUpTo(response.body, pageLimitBytes), response.url);
    found.push(...page);
    empty = page.length === 0 ? empty + 1 : 0;
    to = empty > mostEmptyPages ? undefined : nextPage(response.headers.get('link'), response.url);
  }
  return found.slice(0, limit);
};
