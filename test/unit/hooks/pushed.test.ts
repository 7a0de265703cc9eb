import { describe, expect, it } from 'vitest';
import { payloadIn } from '../../../lib/hooks/pushed.ts';
import { type HookRequest, providerOf } from '../../../lib/hooks/request.ts';
import {
  bitbucketPush,
  bitbucketServerPush,
  genericPush,
  genericToken,
  giteaPush,
  githubCreate,
  githubForm,
  githubPing,
  githubPush,
  gitlabIssue,
  gitlabPush,
  gitlabSystemUpdate,
} from './deliveries.ts';

const payload = (request: HookRequest) => payloadIn(providerOf(request), request);
const pushed = (request: HookRequest) => {
  const read = payload(request);
  if (read.kind !== 'pushed') throw new Error(`no push but ${JSON.stringify(read)}`);
  return read.pushed;
};

describe('a payload', () => {
  it('of GitHub names repository and ref, as JSON or as the form that is its default', () => {
    const urls = ['https://github.com/Acme/Shop.git', 'git@github.com:Acme/Shop.git', 'https://github.com/Acme/Shop'];
    expect(pushed(githubPush())).toEqual({ urls, refs: ['refs/heads/main'] });
    expect(pushed(githubForm())).toEqual({ urls, refs: ['refs/heads/main'] });
    expect(pushed(githubCreate())).toEqual({ urls, refs: ['refs/tags/v1'] });
  });

  it('of GitLab names repository and ref, of the system hook all refs', () => {
    const urls = [
      'https://gitlab.com/acme/web/shop.git',
      'git@gitlab.com:acme/web/shop.git',
      'https://gitlab.com/acme/web/shop',
    ];
    expect(pushed(gitlabPush())).toEqual({ urls, refs: ['refs/heads/main'] });
    expect(pushed(gitlabPush('tag_push'))).toEqual({ urls, refs: ['refs/tags/v1'] });
    expect(pushed(gitlabSystemUpdate())).toEqual({ urls, refs: ['refs/heads/main'] });
  });

  it('of Bitbucket Cloud names what was made and what was deleted, and nothing when its list is cut short', () => {
    const urls = ['https://bitbucket.org/acme/shop'];
    expect(pushed(bitbucketPush())).toEqual({ urls, refs: ['refs/tags/v1'] });
    expect(pushed(bitbucketPush(2))).toEqual({ urls, refs: ['refs/tags/v1', 'refs/heads/b1', 'refs/heads/b1'] });
    expect(pushed(bitbucketPush(5))).toEqual({ urls, refs: undefined });
  });

  it('of Bitbucket Data Center names its clone URLs', () => {
    expect(pushed(bitbucketServerPush())).toEqual({
      urls: ['https://bitbucket.acme.example/scm/acme/shop.git', 'ssh://git@bitbucket.acme.example:7999/acme/shop.git'],
      refs: ['refs/heads/main'],
    });
  });

  it('of Gitea is read like GitHub’s', () => {
    expect(pushed(giteaPush()).urls).toHaveLength(3);
    expect(pushed(giteaPush()).refs).toEqual(['refs/heads/main']);
  });

  it('of anybody else is a URL, and refs if known', () => {
    expect(pushed(genericToken())).toEqual({ urls: ['git@git.acme.example:shop.git'], refs: undefined });
    const both = { url: 'https://a.example/r', urls: ['git@a.example:r'], ref: 'refs/heads/a', refs: ['refs/tags/b'] };
    expect(pushed(genericPush(both))).toEqual({
      urls: ['https://a.example/r', 'git@a.example:r'],
      refs: ['refs/heads/a', 'refs/tags/b'],
    });
  });

  it('of another event is ignored', () => {
    expect(payload(githubPing())).toEqual({ kind: 'ignored', event: 'ping' });
    expect(payload(gitlabIssue())).toEqual({ kind: 'ignored', event: 'issue' });
  });

  it.each([
    ['not JSON', Buffer.from('hello'), 'the body is not JSON'],
    ['a list', Buffer.from('[]'), 'name the repository in url or urls'],
    ['without a URL', Buffer.from('{"ref":"refs/heads/a"}'), 'name the repository in url or urls'],
    ['with too many URLs', Buffer.from(JSON.stringify({ urls: Array(21).fill('https://a/b') })), 'urls'],
    ['with a number for a URL', Buffer.from('{"url":7}'), 'url'],
  ])('that is %s cannot be read, and says why', (_, body, why) => {
    const read = payload({ method: 'POST', headers: {}, body });
    expect(read).toMatchObject({ kind: 'unreadable' });
    expect(JSON.stringify(read)).toContain(why);
  });
});
