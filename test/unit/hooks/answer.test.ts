import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { placeDigest } from '../../../lib/git/place.ts';
import { parseGitUrl } from '../../../lib/git/url.ts';
import { hookAnswerer } from '../../../lib/hooks/answer.ts';
import { maxHookBytes } from '../../../lib/hooks/request.ts';
import { secretsIn } from '../../../lib/hooks/secrets.ts';
import { deduplicationIdOf } from '../../../lib/queue/message.ts';
import { hookKey, hookSortKey } from '../../../lib/state/keys.ts';
import { StateError } from '../../../lib/state/table.ts';
import { type SourceWorld, sourceWorld } from '../../support/source-world.ts';
import { type StateTables, stateTables } from '../../support/state-table.ts';
import {
  bitbucketPush,
  bitbucketServerPush,
  genericPush,
  genericToken,
  giteaPush,
  githubForm,
  githubPing,
  githubPush,
  gitlabPush,
  secret,
} from './deliveries.ts';

const id = (digit: string): string => digit.repeat(40);
const heads = (...names: readonly (readonly [string, string])[]) =>
  names.map(([name, digit]) => ({ name: `refs/${name}`, hash: id(digit) }));

let state: StateTables;
let w: SourceWorld;
beforeAll(async () => {
  state = await stateTables();
});
afterAll(() => state[Symbol.asyncDispose]());
beforeEach(async () => {
  w = sourceWorld(await state.empty());
});

/** A SourceResolver that follows a branch of a repository, resolved. */
const follow = async (name: string, url: string, revision = 'main'): Promise<void> => {
  w.host(url, heads([`heads/${revision}`, '1']));
  w.apply(name, { git: { url, revision } });
  await w.resolve(name);
  w.asked.splice(0);
};
/** The branch moves on the host. */
const push = (url: string, revision = 'main'): void => w.host(url, heads([`heads/${revision}`, '2']));
const hook = (request = githubPush(), secrets: readonly string[] = [secret]) => w.hook(request, secrets);

const place = placeDigest(parseGitUrl('https://github.com/acme/shop'));
const first = <T>(items: readonly T[]): T => {
  const [item] = items;
  if (item === undefined) throw new Error('nothing is there');
  return item;
};
const onlyPoll = async () => first((await w.polls.atPlace(place, 10)).targets);
const dueNow = async () => first((await w.due()).map(({ target }) => target).filter(({ kind }) => kind === 'GitPoll'));

describe('a push hook', () => {
  it.each([
    ['https://github.com/acme/shop', githubPush()],
    ['https://github.com/Acme/Shop.git', githubForm()],
    ['git@github.com:acme/shop.git', githubPush()],
    ['ssh://git@ssh.github.com:443/acme/shop.git', githubPush()],
    ['https://gitlab.com/acme/web/shop', gitlabPush()],
    ['git@gitlab.com:acme/web/shop.git', gitlabPush()],
    ['https://bitbucket.org/acme/shop.git', bitbucketPush(5)],
    ['ssh://git@bitbucket.acme.example:7999/acme/shop.git', bitbucketServerPush()],
    ['https://bitbucket.acme.example/scm/ACME/shop.git', bitbucketServerPush()],
    ['git@gitea.acme.example:acme/shop', giteaPush()],
    ['https://git.acme.example/shop.git/', genericPush()],
    ['ssh://git.acme.example/shop', genericToken()],
  ])('wakes whoever follows %s, however the URL is written', async (url, request) => {
    await follow('a', url);
    push(url);
    expect(await hook(request)).toMatchObject({ status: 202, polls: ['moved'] });
    expect(w.woken()).toEqual(['source-resolver dependency a']);
    await w.resolve('a', { reasons: ['dependency'] });
    expect(w.statusOf('a')).toMatchObject({ source: { git: { revision: id('2') } } });
    expect(w.asked).toHaveLength(1);
  });

  it('wakes nobody who follows something else, and asks no host', async () => {
    await follow('other', 'https://github.com/acme/other');
    await follow('dev', 'https://github.com/acme/shop', 'dev');
    expect(await hook()).toMatchObject({ status: 202, polls: [] });
    expect(w.asked).toEqual([]);
  });

  it('wakes whoever follows the default branch, whatever that is', async () => {
    const url = 'https://github.com/acme/shop';
    w.host(url, [{ name: 'HEAD', hash: id('1') }]);
    w.apply('a', { git: { url, revision: 'HEAD' } });
    await w.resolve('a');
    w.host(url, [{ name: 'HEAD', hash: id('2') }]);
    expect(await hook()).toMatchObject({ polls: ['moved'] });
  });

  it('reaches every namespace and every credential', async () => {
    const url = 'https://github.com/acme/shop';
    await follow('a', url);
    const secretRef = { metadata: { name: 's', namespace: 'team', annotations: { 'kpack.io/git': 'github.com' } } };
    w.put('secrets', { ...secretRef, type: 'kubernetes.io/basic-auth', data: {} });
    w.put('serviceaccounts', { metadata: { name: 'sa', namespace: 'team' }, secrets: [{ name: 's' }] });
    w.apply('b', { git: { url, revision: 'main' } }, { serviceAccount: 'sa' });
    await w.resolve('b');
    expect(await hook()).toMatchObject({ polls: ['unchanged', 'unchanged'] });
  });

  it('sent again is the same push: the queue swallows its second message', async () => {
    await follow('a', 'https://github.com/acme/shop');
    const ids: string[] = [];
    const answer = hookAnswerer({
      polls: w.polls,
      sender: { send: (_, messages) => Promise.resolve(void ids.push(...messages.map(deduplicationIdOf))) },
      secrets: () => Promise.resolve(secretsIn(secret)),
      clock: () => new Date(ids.length),
      log: () => undefined,
    });
    const replayed = githubPush();
    await answer(replayed);
    await answer({ ...replayed, headers: { ...replayed.headers, 'x-github-delivery': 'made up by somebody' } });
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(1);
  });

  it('with a token in place of a signature counts by the number of its delivery, or each time', async () => {
    await follow('a', 'https://gitlab.com/acme/web/shop');
    await follow('b', 'https://git.acme.example/shop');
    const ids: string[] = [];
    let now = 0;
    const answer = hookAnswerer({
      polls: w.polls,
      sender: { send: (_, messages) => Promise.resolve(void ids.push(...messages.map(deduplicationIdOf))) },
      secrets: () => Promise.resolve(secretsIn(secret)),
      clock: () => {
        now += 1000;
        return new Date(now);
      },
      log: () => undefined,
    });
    for (const request of [gitlabPush(), gitlabPush(), gitlabPush('push', secret, 'two')]) await answer(request);
    expect(new Set(ids.splice(0)).size).toBe(2);
    for (const request of [genericToken(), genericToken()]) await answer(request);
    expect(new Set(ids).size).toBe(2);
  });

  it('that comes before the host shows the push is followed up in half a minute, however rare polls are', async () => {
    await follow('a', 'https://github.com/acme/shop');
    expect(await hook()).toMatchObject({ polls: ['unchanged'] });
    w.later(30);
    expect((await w.due()).map(({ target }) => target.kind)).toEqual(['GitPoll']);
  });

  it('does not hurry a host that asked to be left alone', async () => {
    const url = 'https://github.com/acme/shop';
    await follow('a', url);
    w.host(url, 'throttled');
    expect(await hook()).toMatchObject({ polls: ['failed'] });
    w.asked.splice(0);
    expect(await hook()).toMatchObject({ status: 202, polls: ['parked'] });
    expect(w.asked).toEqual([]);
  });

  it('finds a poll again when a death took away what it is found by: once its message comes again, and after a day at the latest', async () => {
    await follow('a', 'https://github.com/acme/shop');
    w.later(60);
    await w.poll(await dueNow());
    const poll = await onlyPoll();
    const row = await w.polls.read(poll);
    const cause = { kind: 'GitPoll', namespace: '', name: row?.page ?? '' };
    const lose = async (): Promise<void> => {
      await w.table.delete(hookKey(place), hookSortKey(poll));
      expect(await hook()).toMatchObject({ status: 202, polls: [] });
    };
    await lose();
    await w.poll(poll, 'dependency', cause);
    expect(await hook()).toMatchObject({ polls: ['unchanged'] });
    w.later(600);
    await lose();
    for (let hours = 0; hours < 26; hours += 1) {
      w.later(3600);
      await w.poll(await dueNow());
    }
    expect(await hook()).toMatchObject({ polls: ['unchanged'] });
  });

  it('finds nobody any more once nobody follows', async () => {
    const url = 'https://github.com/acme/shop';
    await follow('a', url);
    const poll = await onlyPoll();
    w.world.remove(w.pathOf('a'));
    await w.resolve('a');
    w.later(601);
    await w.resolve('a');
    expect(await w.poll(poll)).toBe('abandoned');
    expect(await hook()).toMatchObject({ status: 202, polls: [] });
    expect((await w.polls.atPlace(place, 10)).targets).toEqual([]);
  });
});

describe('a request that is no push hook', () => {
  it('is refused without a valid signature, and nobody learns whether the repository is known', async () => {
    await follow('a', 'https://github.com/acme/shop');
    const known = await hook(githubPush(), ['another']);
    const unknown = await w.hook({ ...githubPush(), body: Buffer.from('{}') }, ['another']);
    expect(known).toEqual(unknown);
    expect(known.status).toBe(401);
    expect(w.woken()).toEqual([]);
    expect(w.logged.join()).not.toContain('shop');
  });

  it('is told when no secret is set', async () => {
    expect(await hook(githubPush(), [])).toMatchObject({ status: 503 });
  });

  it('is answered without being read when it is larger than a mebibyte', async () => {
    const body = Buffer.alloc(maxHookBytes + 1, 32);
    expect(await hook({ ...githubPush(), body })).toMatchObject({ status: 413 });
  });

  it('is answered politely: a ping, another method, a body of something else', async () => {
    expect(await hook(githubPing())).toMatchObject({ status: 200, body: { ignored: 'ping' } });
    expect(await hook({ ...githubPush(), method: 'GET' })).toMatchObject({ status: 405 });
    expect(await hook(genericPush(['nothing']))).toMatchObject({ status: 400 });
  });

  it('never shows the secret, in answers or in the log', async () => {
    const token = await hook(genericToken());
    const wrong = await hook(genericToken('not the secret'));
    expect(JSON.stringify([token, wrong, w.logged])).not.toContain(secret);
    expect(JSON.stringify([token, wrong, w.logged])).not.toContain('not the secret');
  });

  it('is put off, not lost, while the store is away: the poll finds the push', async () => {
    const answer = hookAnswerer({
      polls: {
        atPlace: () => Promise.reject(new StateError('away')),
        entries: () => Promise.resolve({ entries: [], next: undefined }),
      },
      sender: { send: () => Promise.resolve() },
      secrets: () => Promise.resolve(secretsIn(secret)),
      clock: () => new Date(0),
      log: () => undefined,
    });
    expect(await answer(githubPush())).toMatchObject({ status: 503 });
  });
});
