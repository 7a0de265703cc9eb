/** Attacks on the circuits of hosts and clusters: one tenant makes others wait (DESIGN §3.14, §3.32). */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { GitError } from '../../lib/git/errors.ts';
import { defaultGitSettings, refLister } from '../../lib/git/list-refs.ts';
import { parseGitUrl } from '../../lib/git/url.ts';
import { askHost } from '../../lib/sources/ask-host.ts';
import { Circuits } from '../../lib/state/circuits.ts';
import { HostCircuits } from '../../lib/state/host-circuits.ts';
import { clusterScope, hostScope } from '../../lib/state/keys.ts';
import type { Table } from '../../lib/state/table.ts';
import { openGitWay } from '../support/open-egress.ts';
import { selfSigned } from '../support/self-signed.ts';
import { type SourceWorld, sourceWorld } from '../support/source-world.ts';
import { type StateTables, stateTables } from '../support/state-table.ts';

let state: StateTables;
let table: Table;
beforeAll(async () => {
  state = await stateTables();
});
afterAll(() => state[Symbol.asyncDispose]());
beforeEach(async () => {
  table = await state.empty();
});

const github = hostScope({ scheme: 'https', host: 'github.com', port: 443 });
const tenant = (namespace: string, cluster = 'one') => ({ cluster, namespace });
const victim = tenant('victim');

describe('a tenant whose host is a black hole', () => {
  it('keeps nobody else from that host, however often his calls fail', async () => {
    const [attacked, others] = [new HostCircuits(table), new HostCircuits(table)];
    for (let at = 100; at < 200; at += 1) await attacked.failed(github, tenant('attacker'), at);
    expect(await attacked.admit(github, tenant('attacker'), 200)).toMatchObject({ admitted: false });
    expect(await others.admit(github, victim, 200)).toStrictEqual({ admitted: true });
    expect(await attacked.admit(github, victim, 200)).toStrictEqual({ admitted: true });
  });

  it('keeps the same namespace of another cluster from nothing', async () => {
    const hosts = new HostCircuits(table);
    await hosts.failed(github, tenant('team', 'one'), 100, 60);
    expect(await hosts.admit(github, tenant('team', 'two'), 101)).toStrictEqual({ admitted: true });
  });

  it('with a SourceResolver of his own lets another namespace resolve at the same host', async () => {
    const w: SourceWorld = sourceWorld(table);
    w.host('https://github.com/evil/hole', 'timeout');
    w.host('https://github.com/acme/shop', [{ name: 'refs/heads/main', hash: '1'.repeat(40) }]);
    w.apply('hole', { git: { url: 'https://github.com/evil/hole', revision: 'main' } }, { namespace: 'attacker' });
    w.apply('shop', { git: { url: 'https://github.com/acme/shop', revision: 'main' } }, { namespace: 'victim' });
    expect(await w.resolve('hole', { namespace: 'attacker' })).toBe('failed');
    expect(await w.resolve('shop', { namespace: 'victim' })).toBe('settled');
  });

  it('by scheme or port of a host that others use stays with that scheme and port', async () => {
    const hosts = new HostCircuits(table);
    const holes = [
      'http://github.com/a',
      'https://github.com:81/a',
      'ssh://git@github.com/a',
      'ssh://github.com:443/a',
    ];
    for (const hole of holes)
      for (const namespace of ['a', 'b', 'c', 'd'])
        await hosts.failed(hostScope(parseGitUrl(hole)), tenant(namespace), 100);
    expect(await hosts.admit(hostScope(parseGitUrl(holes[0] ?? '')), victim, 101)).toMatchObject({ admitted: false });
    expect(await hosts.admit(github, victim, 101)).toStrictEqual({ admitted: true });
  });

  it('cannot make his complaint count thrice', async () => {
    const hosts = new HostCircuits(table);
    for (let at = 100; at < 100 + 3 * 400; at += 400) await hosts.failed(github, tenant('attacker'), at);
    expect(await hosts.admit(github, victim, 1000)).toStrictEqual({ admitted: true });
  });

  it('cannot hold the probe of everybody by calls that dial nobody', async () => {
    const hosts = new HostCircuits(table);
    for (const namespace of ['a', 'b', 'c']) await hosts.failed(github, tenant(namespace), 100);
    expect(await hosts.admit(github, victim, 101)).toMatchObject({ admitted: false });
    const attacker = tenant('attacker');
    expect(await hosts.admit(github, attacker, 103)).toStrictEqual({ admitted: true });
    await hosts.unused(github, attacker, 103);
    expect(await hosts.admit(github, victim, 104)).toStrictEqual({ admitted: true });
  });

  it('that asks over ssh without a key closes and opens nothing: nobody was dialled', async () => {
    const told: string[] = [];
    const tell = (what: string) => () => Promise.resolve(void told.push(what));
    const hosts = {
      admit: () => Promise.resolve({ admitted: true } as const),
      failed: tell('failed'),
      succeeded: tell('succeeded'),
      unused: tell('unused'),
    };
    const ask = { url: parseGitUrl('git@github.com:a/b'), prefixes: [] };
    const asking = askHost(
      { hosts, listRefs: refLister(openGitWay) },
      ask,
      { tenant: victim, now: new Date(0) },
      AbortSignal.timeout(5000),
    );
    await expect(asking).rejects.toMatchObject({ code: 'unauthorized' });
    expect(told).toEqual(['unused']);
  });
});

describe('a host that nobody hears', () => {
  it('rests for everybody once several namespaces have failed, and comes back with the first answer', async () => {
    const [here, there] = [new HostCircuits(table), new HostCircuits(table)];
    for (const namespace of ['a', 'b']) await here.failed(github, tenant(namespace), 100);
    expect(await there.admit(github, victim, 100)).toStrictEqual({ admitted: true });
    await there.failed(github, tenant('c'), 101);
    expect(await there.admit(github, tenant('d'), 102)).toMatchObject({ admitted: false });
    expect(await there.admit(github, tenant('d'), 104)).toStrictEqual({ admitted: true });
    await there.succeeded(github, tenant('d'), 104);
    expect(await here.admit(github, tenant('e'), 104)).toStrictEqual({ admitted: true });
  });

  it('is not held against it when one namespace heard it meanwhile, or minutes lie between', async () => {
    const hosts = new HostCircuits(table);
    for (const namespace of ['a', 'b']) await hosts.failed(github, tenant(namespace), 100);
    await hosts.admit(github, victim, 106);
    await hosts.succeeded(github, victim, 106);
    await hosts.failed(github, tenant('c'), 107);
    expect(await hosts.admit(github, tenant('d'), 108)).toStrictEqual({ admitted: true });
    await hosts.failed(github, tenant('e'), 500);
    await hosts.failed(github, tenant('f'), 900);
    expect(await hosts.admit(github, tenant('g'), 901)).toStrictEqual({ admitted: true });
  });
});

describe('an answer of any kind', () => {
  const heard = async (url: string): Promise<unknown> => {
    const error: unknown = await refLister(openGitWay, { ...defaultGitSettings, deadlineSeconds: 0.5 })({
      url: parseGitUrl(url),
      prefixes: [],
    }).catch((thrown: unknown) => thrown);
    return error instanceof GitError ? error.heard : error;
  };

  it.each([200, 302, 404, 429, 500, 502, 503])('%i is a sign of life', async (status) => {
    const server = createServer((_, response) =>
      response.writeHead(status, { location: 'http://127.0.0.1:1/info/refs' }).end('?'),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    expect(await heard(`http://127.0.0.1:${(server.address() as AddressInfo).port}/r`)).toBe('something');
  });

  it('that is only a TLS handshake is one too: one path of a shared host may well hang', async () => {
    const server = createTlsServer(await selfSigned(), () => undefined);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
      if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
      else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before;
    });
    expect(await heard(`https://127.0.0.1:${(server.address() as AddressInfo).port}/r`)).toBe('something');
  });

  it('is missing where nobody listens', async () => {
    expect(await heard('http://127.0.0.1:1/r')).toBe('nothing');
  });
});

describe('a cluster that is called like a host', () => {
  it.each(['github.com', 'https:', 'git:github.com:443'])('%s shares no circuit with it', async (name) => {
    const [clusters, hosts] = [new Circuits(table), new HostCircuits(table)];
    for (const namespace of ['a', 'b', 'c', 'd']) await hosts.failed(github, tenant(namespace), 100);
    expect(await clusters.admit(clusterScope(name), 101)).toStrictEqual({ admitted: true });
    await clusters.failed(clusterScope(name), 101, 300);
    await hosts.succeeded(github, victim, 101);
    expect(await clusters.admit(clusterScope(name), 120)).toMatchObject({ admitted: false });
  });
});

describe('a tenant with a thousand dead hosts', () => {
  it('pushes nothing that another tenant’s calls have found out from the memory of the process', async () => {
    const reads: string[] = [];
    const counting = new Proxy(table, {
      get: (target, name) =>
        name === 'get'
          ? (pk: string, sk: string) => {
              reads.push(pk);
              return target.get(pk, sk);
            }
          : (Reflect.get(target, name) as () => unknown).bind(target),
    });
    const hosts = new HostCircuits(counting);
    await hosts.admit(github, victim, 100);
    for (let n = 0; n < 200; n += 1) {
      const dead = hostScope({ scheme: 'https', host: `h${n}.example`, port: 443 });
      await hosts.failed(dead, tenant('attacker'), 100);
    }
    reads.splice(0);
    expect(await hosts.admit(github, victim, 101)).toStrictEqual({ admitted: true });
    expect(reads).toEqual([]);
  });
});
