/** Push hooks in the shapes that git hosts send, written down from their documentation; only what identifies a push is kept. */
import { createHmac } from 'node:crypto';
import type { HookRequest } from '../../../lib/hooks/request.ts';

export const secret = 'a-secret-of-some-thirty-characters';

/** HMAC-SHA-256 in hex. */
export const signed = (body: Buffer | string, key: string = secret): string =>
  createHmac('sha256', key).update(body).digest('hex');

const bytes = (payload: unknown): Buffer => Buffer.from(JSON.stringify(payload));

const request = (
  payload: unknown,
  headers: (body: Buffer) => Readonly<Record<string, string>>,
  body: Buffer = bytes(payload),
): HookRequest => ({ method: 'POST', headers: { 'content-type': 'application/json', ...headers(body) }, body });

const githubRepository = {
  id: 186853002,
  full_name: 'Acme/Shop',
  private: true,
  html_url: 'https://github.com/Acme/Shop',
  git_url: 'git://github.com/Acme/Shop.git',
  ssh_url: 'git@github.com:Acme/Shop.git',
  clone_url: 'https://github.com/Acme/Shop.git',
  default_branch: 'main',
};

/** A push to GitHub. */
export const githubPush = (ref = 'refs/heads/main'): HookRequest =>
  request(
    { ref, before: '6113728f', after: '0000beef', created: false, forced: false, repository: githubRepository },
    (body) => ({
      'x-github-event': 'push',
      'x-github-delivery': '72d3162e-cc78-11e3-81ab-4c9367dc0958',
      'x-hub-signature': 'sha1=7d38cdd689735b008b3c702edd92eea23791c5f6',
      'x-hub-signature-256': `sha256=${signed(body)}`,
    }),
  );

/** The same as GitHub sends it by default: a form with the JSON in one field, signed as it is. */
export const githubForm = (): HookRequest => {
  const body = Buffer.from(new URLSearchParams({ payload: githubPush().body.toString() }).toString());
  return request(
    undefined,
    () => ({
      'content-type': 'application/x-www-form-urlencoded',
      'x-github-event': 'push',
      'x-hub-signature-256': `sha256=${signed(body)}`,
    }),
    body,
  );
};

/** What GitHub sends when a hook is made. */
export const githubPing = (): HookRequest =>
  request({ zen: 'Keep it logically awesome.', hook_id: 1, repository: githubRepository }, (body) => ({
    'x-github-event': 'ping',
    'x-hub-signature-256': `sha256=${signed(body)}`,
  }));

/** A tag that was made on GitHub. */
export const githubCreate = (): HookRequest =>
  request({ ref: 'v1', ref_type: 'tag', repository: githubRepository }, (body) => ({
    'x-github-event': 'create',
    'x-hub-signature-256': `sha256=${signed(body)}`,
  }));

const gitlabProject = {
  id: 15,
  web_url: 'https://gitlab.com/acme/web/shop',
  git_ssh_url: 'git@gitlab.com:acme/web/shop.git',
  git_http_url: 'https://gitlab.com/acme/web/shop.git',
  path_with_namespace: 'acme/web/shop',
};

/** A push to GitLab, which sends the secret itself. */
export const gitlabPush = (kind: 'push' | 'tag_push' = 'push', token = secret, delivery = 'one'): HookRequest =>
  request(
    {
      object_kind: kind,
      event_name: kind,
      ref: kind === 'push' ? 'refs/heads/main' : 'refs/tags/v1',
      checkout_sha: 'da1560886d4f094c3e6c9ef40349f7d38b5d27d7',
      project: gitlabProject,
    },
    () => ({
      'x-gitlab-event': kind === 'push' ? 'Push Hook' : 'Tag Push Hook',
      'x-gitlab-token': token,
      'idempotency-key': delivery,
    }),
  );

/** What GitLab's system hook says once for a push of many refs. */
export const gitlabSystemUpdate = (): HookRequest =>
  request({ event_name: 'repository_update', project: gitlabProject, refs: ['refs/heads/main'] }, () => ({
    'x-gitlab-event': 'System Hook',
    'x-gitlab-token': secret,
  }));

/** Something else of GitLab's. */
export const gitlabIssue = (): HookRequest =>
  request({ object_kind: 'issue', project: gitlabProject }, () => ({
    'x-gitlab-event': 'Issue Hook',
    'x-gitlab-token': secret,
  }));

/** A push to Bitbucket Cloud; `changes` refs at once. */
export const bitbucketPush = (changes = 1): HookRequest =>
  request(
    {
      repository: { full_name: 'acme/shop', links: { html: { href: 'https://bitbucket.org/acme/shop' } } },
      push: {
        changes: Array.from({ length: changes }, (_, index) => ({
          new: index === 0 ? null : { type: 'branch', name: `b${index}`, target: { hash: 'aa' } },
          old: { type: index === 0 ? 'tag' : 'branch', name: index === 0 ? 'v1' : `b${index}` },
        })),
      },
    },
    (body) => ({ 'x-event-key': 'repo:push', 'x-hub-signature': `sha256=${signed(body)}` }),
  );

/** A push to Bitbucket Data Center. */
export const bitbucketServerPush = (): HookRequest =>
  request(
    {
      eventKey: 'repo:refs_changed',
      repository: {
        slug: 'shop',
        project: { key: 'ACME' },
        links: {
          clone: [
            { href: 'https://bitbucket.acme.example/scm/acme/shop.git', name: 'http' },
            { href: 'ssh://git@bitbucket.acme.example:7999/acme/shop.git', name: 'ssh' },
          ],
        },
      },
      changes: [{ ref: { id: 'refs/heads/main', displayId: 'main', type: 'BRANCH' }, type: 'UPDATE' }],
    },
    (body) => ({ 'x-event-key': 'repo:refs_changed', 'x-hub-signature': `sha256=${signed(body)}` }),
  );

/** A push to Gitea, which sends GitHub's headers beside its own. */
export const giteaPush = (): HookRequest =>
  request(
    {
      ref: 'refs/heads/main',
      before: '28e1879d',
      after: 'bffeb74b',
      repository: {
        html_url: 'http://gitea.acme.example:3000/acme/shop',
        ssh_url: 'ssh://git@gitea.acme.example:2222/acme/shop.git',
        clone_url: 'http://gitea.acme.example:3000/acme/shop.git',
      },
    },
    (body) => ({
      'x-gitea-event': 'push',
      'x-gitea-signature': signed(body),
      'x-github-event': 'push',
      'x-hub-signature-256': `sha256=${signed(body)}`,
    }),
  );

/** What a script sends, signed. */
export const genericPush = (
  payload: unknown = { url: 'https://git.acme.example/shop', ref: 'refs/heads/main' },
): HookRequest => request(payload, (body) => ({ 'x-hub-signature-256': `sha256=${signed(body)}` }));

/** What a script sends that only knows the secret. */
export const genericToken = (token = secret): HookRequest =>
  request({ url: 'git@git.acme.example:shop.git' }, () => ({ authorization: `Bearer ${token}` }));
