/** Attacks through push hooks: by strangers, by who knows the secret of one organisation, and by who follows a repository of others. */
import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { placeDigest } from '../../lib/git/place.ts';
import { parseGitUrl } from '../../lib/git/url.ts';
import { type HookRequest, maxHookBytes } from '../../lib/hooks/request.ts';
import { mostHookSecrets, secretsIn } from '../../lib/hooks/secrets.ts';
import type { Message } from '../../lib/queue/message.ts';
import { carryOn, wakePlace } from '../../lib/sources/wake-place.ts';
import { hookKey, hookSortKey, type TargetKey } from '../../lib/state/keys.ts';
import type { Table } from '../../lib/state/table.ts';
import { type SourceWorld, sourceWorld } from '../support/source-world.ts';
import { type StateTables, stateTables } from '../support/state-table.ts';

const id = (digit: string): string => digit.repeat(40);
const main = (digit: string) => [{ name: 'refs/heads/main', hash: id(digit) }];

/** Of an installation in small. */
const limits = { atPlace: 3 };
let state: StateTables;
let table: Table;
let w: SourceWorld;
beforeAll(async () => {
  state = await stateTables();
});
afterAll(() => state[Symbol.asyncDispose]());
beforeEach(async () => {
  table = await state.empty();
  w = sourceWorld(table, { limits });
});

const secrets = ['{"github.com/acme":"of acme","github.com/other":"of other","gitlab.com":["of gitlab","new one"]}'];
const signedBy = (secret: string, payload: unknown, headers: HookRequest['headers'] = {}): HookRequest => {
  const body = Buffer.from(JSON.stringify(payload));
  const signature = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
  return { method: 'POST', headers: { 'x-hub-signature-256': signature, ...headers }, body };
};
const push = (secret: string, ...urls: readonly string[]) =>
  w.hook(signedBy(secret, { urls, ref: 'refs/heads/main' }), secrets);
const follow = async (name: string, url: string, namespace = 'team'): Promise<void> => {
  w.host(url, main('1'));
  w.apply(name, { git: { url, revision: 'main' } }, { namespace });
  await w.resolve(name, { namespace });
};

const shop = 'https://github.com/acme/shop';

describe('who knows the secret of one organisation', () => {
  it('wakes what it is for, whatever else he names', async () => {
    for (const [n, url] of [shop, 'https://github.com/other/shop', 'https://gitlab.com/acme/shop'].entries())
      await follow(`app${n}`, url);
    expect(await push('of acme', 'https://github.com/other/shop', 'https://gitlab.com/acme/shop')).toMatchObject({
      status: 202,
      polls: [],
    });
    expect(await push('of acme', 'https://github.com/other/shop', shop)).toMatchObject({ polls: ['unchanged'] });
    expect(await push('new one', shop, 'git@gitlab.com:acme/shop.git')).toMatchObject({ polls: ['unchanged'] });
  });

  it.each([
    'https://github.com/acme-evil/shop',
    'https://github.com/acmeshop',
    'https://github.com.evil.example/acme/shop',
    'https://evil.example/github.com/acme/shop',
    'https://github.com/other/acme/shop',
    'https://github.com/other/../acme/../other/shop',
  ])('does not wake %s, which is only written like it', async (url) => {
    await follow('app', url);
    expect(await push('of acme', url)).toMatchObject({ status: 202, polls: [] });
  });

  it('cannot tell whether anybody follows a repository, his own or another’s', async () => {
    await follow('app', shop);
    await follow('foreign', 'https://github.com/other/shop');
    const answers = [];
    for (const url of [
      shop,
      'https://github.com/acme/nobody',
      'https://github.com/other/shop',
      'https://github.com/other/nobody',
    ])
      answers.push(await push('of acme', url));
    const told = answers.map(({ status, body }) => JSON.stringify({ status, body }));
    expect(new Set(told).size).toBe(1);
  });

  it('has one listing for any number of hooks in a few seconds, and the last of them is not lost', async () => {
    await follow('app', shop);
    w.asked.splice(0);
    for (let n = 0; n < 20; n += 1) await w.hook(signedBy('of acme', { url: shop, nonce: n }), secrets);
    expect(w.asked).toHaveLength(1);
    w.host(shop, main('2'));
    w.later(3);
    const [due] = await w.due();
    if (due === undefined) throw new Error('the listing is lost');
    expect(await w.poll(due.target)).toBe('moved');
  });

  it('loses no push of a source that is never polled by sending others just before', async () => {
    w.host(shop, main('1'));
    w.apply('app', { git: { url: shop, revision: 'main' } }, { annotations: { 'image.kpack.io/pollInterval': '0' } });
    await w.resolve('app');
    expect(await push('of acme', shop)).toMatchObject({ polls: ['unchanged'] });
    w.host(shop, main('2'));
    expect(await w.hook(signedBy('of acme', { url: shop, nonce: 1 }), secrets)).toMatchObject({ polls: ['parked'] });
    w.later(3);
    const [due] = await w.due();
    if (due === undefined) throw new Error('the listing is lost');
    expect(await w.poll(due.target)).toBe('moved');
  });
});

describe('a hook that names very many repositories', () => {
  const many = Array.from({ length: 21 }, (_, n) => `https://github.com/acme/r${n}`);
  const links = { clone: many.map((href) => ({ href })) };
  it.each([
    ['a script', signedBy('of acme', { urls: many })],
    ['a script, one of them apart', signedBy('of acme', { url: many[0], urls: many.slice(1) })],
    ['Bitbucket', signedBy('of acme', { repository: { links } }, { 'x-event-key': 'repo:refs_changed' })],
  ])('is refused as a whole, sent as by %s', async (_, request) => {
    await follow('app', 'https://github.com/acme/r0');
    const signature = request.headers['x-hub-signature-256'];
    const headers = { ...request.headers, 'x-hub-signature': signature };
    expect(await w.hook({ ...request, headers }, secrets)).toMatchObject({ status: 400, polls: [] });
  });

  it('may name twenty', async () => {
    await follow('app', 'https://github.com/acme/r0');
    expect(await push('of acme', ...many.slice(0, 20))).toMatchObject({ status: 202, polls: ['unchanged'] });
  });
});

describe('a stranger', () => {
  it('has nothing parsed: whatever the body is, he is refused first', async () => {
    const body = Buffer.alloc(maxHookBytes, '[');
    const headers = { 'x-hub-signature-256': `sha256=${'0'.repeat(64)}` };
    expect(await w.hook({ method: 'POST', headers, body }, secrets)).toMatchObject({ status: 401 });
  });
});

describe('a tenant with ten thousand polls of a repository of others', () => {
  const place = placeDigest(parseGitUrl(shop));
  const poll = (n: number, namespace: string, cluster = 'one'): TargetKey => ({
    cluster,
    kind: 'GitPoll',
    namespace,
    name: `p${n}`,
  });

  it('has some of them heard, by Secret and interval, and those who follow it besides are', async () => {
    w.host(shop, main('1'));
    for (let n = 0; n < limits.atPlace + 3; n += 1) {
      const annotations = { 'image.kpack.io/pollInterval': `${n + 100}s` };
      w.apply(`a${n}`, { git: { url: shop, revision: 'main' } }, { namespace: 'aaa', annotations });
      await w.resolve(`a${n}`, { namespace: 'aaa' });
    }
    await follow('shop', shop, 'victim');
    expect((await push('of acme', shop)).polls).toHaveLength(limits.atPlace + 1);
    expect(w.statusOf('a0', 'aaa')).toMatchObject({ conditions: [{ status: 'True' }, { status: 'True' }] });
    const last = `a${limits.atPlace + 2}`;
    const told = {
      status: 'True',
      reason: 'TooManyFollowed',
      message: expect.stringContaining('push hooks') as string,
    };
    expect(w.statusOf(last, 'aaa')).toMatchObject({ conditions: [{ status: 'True' }, told] });
    const before = w.world.writes().length;
    await w.resolve(last, { namespace: 'aaa', reasons: ['due'] });
    expect(w.world.writes()).toHaveLength(before);
  });

  it('makes no call longer: each wakes a page of a cluster, the rest is carried on, and everybody is woken once', async () => {
    const all = [
      ...Array.from({ length: 110 }, (_, n) => poll(n, `team${n}`)),
      ...Array.from({ length: 55 }, (_, n) => poll(n, `team${n}`, 'one-more')),
      poll(0, 'team', 'two'),
    ];
    for (const each of all) await table.put(hookKey(place), hookSortKey(each));
    const queue: Message[] = [];
    const ports = {
      polls: w.polls,
      sender: { send: (_: string, messages: readonly Message[]) => Promise.resolve(void queue.push(...messages)) },
    };
    await wakePlace(ports, { place, refs: undefined, occasion: 'hook@1' });
    expect(queue).toHaveLength(101);
    const woken: string[] = [];
    for (let message = queue.shift(); message !== undefined; message = queue.shift()) {
      const target = { cluster: message.cluster, ...message.target };
      woken.push(hookSortKey(target));
      const before = queue.length;
      await carryOn(ports, target, [message]);
      expect(queue.length - before).toBeLessThanOrEqual(50);
      expect(queue.slice(before).every(({ cluster }) => cluster === message.cluster)).toBe(true);
    }
    expect(woken.toSorted()).toEqual(all.map(hookSortKey).toSorted());
  });

  it('loses no page when the poll that carries on is given up meanwhile', async () => {
    for (let n = 0; n < 60; n += 1) await table.put(hookKey(place), hookSortKey(poll(n, `team${n}`)));
    const first = await w.hook(signedBy('of acme', { url: shop }), secrets);
    expect(first.polls).toHaveLength(50);
    expect(new Set(first.polls)).toEqual(new Set(['abandoned']));
    expect(w.woken()).toHaveLength(10);
  });
});

describe('the secrets', () => {
  it('are few, and what cannot be read is said without showing any of it', () => {
    const many = Array.from({ length: mostHookSecrets + 1 }, (_, n) => `hunter${n}`);
    for (const text of [
      many.join(' '),
      JSON.stringify({ 'github.com': many }),
      '{"github.com":"hunter2"',
      '{"github.com":{"a":"hunter2"}}',
      '{"https://github.com/hunter2":"x"}',
      '{"github.com:443":"hunter2"}',
      '{"":"hunter2"}',
      '{"github.com/../other":""}',
    ]) {
      expect(() => secretsIn(text)).toThrow(/secrets of push hooks/);
      expect(() => secretsIn(text)).not.toThrow(/hunter/);
    }
  });

  it('are for everything when they stand alone, two while one replaces the other', () => {
    expect(secretsIn(' one\ntwo ')).toEqual([
      { secret: 'one', scope: '*' },
      { secret: 'two', scope: '*' },
    ]);
    expect(secretsIn(' \n')).toEqual([]);
    expect(secretsIn('{"*":"a","GitHub.com/Acme":["b","c"]}')).toEqual([
      { secret: 'a', scope: '*' },
      { secret: 'b', scope: 'github.com/acme' },
      { secret: 'c', scope: 'github.com/acme' },
    ]);
  });
});
