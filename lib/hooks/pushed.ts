/** What was pushed where, out of the payload of each provider. Fields we do not need may be anything. */
import * as v from 'valibot';
import { parseJson } from '../text/bounded-json.ts';
import { printable } from '../text/printable.ts';
import { type HookRequest, maxHookBytes, type Provider } from './request.ts';

/** A push. */
export interface Pushed {
  /** Every URL by which the payload names the repository, at most `mostRepositories`; unchecked. */
  readonly urls: readonly string[];
  /** Full names of the refs that moved; undefined when the payload does not say which. */
  readonly refs: readonly string[] | undefined;
}

/** A payload, read: a push, an event of another kind, or nothing that can be read, with the reason. */
export type Payload =
  | { readonly kind: 'ignored'; readonly event: string }
  | { readonly kind: 'pushed'; readonly pushed: Pushed }
  | { readonly kind: 'unreadable'; readonly why: string };

/** A hook names one repository in a few ways; a script may name several. */
export const mostRepositories = 20;
const text = v.pipe(v.string(), v.maxLength(4096));
const optional = v.nullish(text);
const refList = v.pipe(v.array(text), v.maxLength(10_000));

const present = (texts: readonly (string | null | undefined)[]): readonly string[] =>
  texts.filter((entry): entry is string => typeof entry === 'string' && entry !== '');

const refOf = (name: string, type: string | null | undefined): string => {
  if (name.startsWith('refs/')) return name;
  return `refs/${type?.toLowerCase() === 'tag' ? 'tags' : 'heads'}/${name}`;
};

/** GitHub and Gitea. `ref` is full in a push, short in `create` and `delete`. */
const githubSchema = v.pipe(
  v.object({
    ref: text,
    ref_type: optional,
    repository: v.object({ clone_url: optional, ssh_url: optional, html_url: optional }),
  }),
  v.transform(
    ({ ref, ref_type, repository: { clone_url, ssh_url, html_url } }): Pushed => ({
      urls: present([clone_url, ssh_url, html_url]),
      refs: [refOf(ref, ref_type)],
    }),
  ),
);

const gitlabSchema = v.pipe(
  v.object({
    ref: optional,
    refs: v.nullish(refList),
    project: v.object({ git_http_url: optional, git_ssh_url: optional, web_url: optional }),
  }),
  v.transform(
    ({ ref, refs, project: { git_http_url, git_ssh_url, web_url } }): Pushed => ({
      urls: present([git_http_url, git_ssh_url, web_url]),
      refs: typeof ref === 'string' ? [ref] : (refs ?? undefined),
    }),
  ),
);

/** Cloud: `push.changes`, with the ref before and after. */
const bitbucketNameSchema = v.nullish(v.object({ type: text, name: text }));
/** Server and Data Center: `changes`, with full names; Cloud has one page for people, Server a list of clone URLs. */
const bitbucketSchema = v.pipe(
  v.object({
    push: v.optional(v.object({ changes: v.array(v.object({ new: bitbucketNameSchema, old: bitbucketNameSchema })) }), {
      changes: [],
    }),
    changes: v.optional(v.array(v.object({ ref: v.object({ id: text }) })), []),
    repository: v.object({
      links: v.object({
        html: v.optional(v.object({ href: optional }), {}),
        clone: v.optional(v.array(v.object({ href: optional })), []),
      }),
    }),
  }),
  v.transform(({ push, changes, repository: { links } }): Pushed => {
    const cloud = push.changes.flatMap((change) => [change.new, change.old]);
    const named = cloud.flatMap((entry) => (entry ? [refOf(entry.name, entry.type)] : []));
    const refs = [...named, ...changes.map(({ ref }) => ref.id)];
    const urls = present([links.html.href, ...links.clone.map(({ href }) => href)]);
    // Cloud cuts long lists short (`truncated`) at five changes; what is not listed may have moved too.
    return { urls, refs: refs.length === 0 || push.changes.length >= 5 ? undefined : refs };
  }),
);

const genericSchema = v.pipe(
  v.object({
    url: optional,
    urls: v.nullish(v.pipe(v.array(text), v.maxLength(mostRepositories))),
    ref: optional,
    refs: v.nullish(refList),
  }),
  v.check(({ url, urls }) => present([url, ...(urls ?? [])]).length > 0, 'name the repository in url or urls'),
  v.transform(({ url, urls, ref, refs }): Pushed => {
    const named = present([ref, ...(refs ?? [])]);
    return { urls: present([url, ...(urls ?? [])]), refs: named.length === 0 ? undefined : named };
  }),
);

const SCHEMAS = {
  github: githubSchema,
  gitea: githubSchema,
  gitlab: gitlabSchema,
  bitbucket: bitbucketSchema,
  generic: genericSchema,
} as const;

/** Events that say that refs moved; undefined takes every event. */
const EVENTS: Readonly<Record<Provider, readonly string[] | undefined>> = {
  github: ['push', 'create', 'delete'],
  gitea: ['push', 'create', 'delete'],
  gitlab: ['push', 'tag_push', 'repository_update'],
  bitbucket: ['repo:push', 'repo:refs_changed', 'mirror:repo_synchronized'],
  generic: undefined,
};

const EVENT_HEADERS: Readonly<Record<Provider, readonly string[]>> = {
  github: ['x-github-event'],
  gitea: ['x-gitea-event', 'x-forgejo-event'],
  gitlab: [],
  bitbucket: ['x-event-key'],
  generic: [],
};

/** GitLab's header calls system hooks of all kinds by one name; its body says which. */
const gitlabEventSchema = v.object({ event_name: optional, object_kind: optional });

const eventOf = (provider: Provider, headers: HookRequest['headers'], json: unknown): string => {
  if (provider !== 'gitlab') return EVENT_HEADERS[provider].flatMap((name) => headers[name] ?? [])[0] ?? '';
  const parsed = v.safeParse(gitlabEventSchema, json);
  return parsed.success ? (parsed.output.object_kind ?? parsed.output.event_name ?? '') : '';
};

/** The JSON in a body; GitHub sends it as a form field unless told otherwise. */
const jsonIn = ({ headers, body }: Pick<HookRequest, 'body' | 'headers'>): unknown => {
  const isForm = headers['content-type']?.toLowerCase().startsWith('application/x-www-form-urlencoded') === true;
  const json = isForm ? (new URLSearchParams(body.toString('utf8')).get('payload') ?? '') : body.toString('utf8');
  return parseJson(json, { mostCharacters: maxHookBytes });
};

/** Reads a payload. Source: the providers' documentation of their push events. */
export const payloadIn = (provider: Provider, request: Pick<HookRequest, 'body' | 'headers'>): Payload => {
  let json: unknown;
  try {
    json = jsonIn(request);
  } catch (error) {
    if (error instanceof SyntaxError) return { kind: 'unreadable', why: 'the body is not JSON' };
    throw error;
  }
  const event = eventOf(provider, request.headers, json);
  if (EVENTS[provider]?.includes(event) === false) return { kind: 'ignored', event: printable(event, 60) };
  const parsed = v.safeParse(SCHEMAS[provider], json);
  if (parsed.success && parsed.output.urls.length > mostRepositories)
    return { kind: 'unreadable', why: `it names more than ${mostRepositories} repositories` };
  if (parsed.success) return { kind: 'pushed', pushed: parsed.output };
  const [issue] = parsed.issues;
  return { kind: 'unreadable', why: `${v.getDotPath(issue) ?? 'the body'}: ${issue.message}` };
};
