/** What a message chain has just written is not read again. */
import { describe, expect, it } from 'vitest';
import { kubeClient } from '../../../lib/kube/client.ts';
import { JustWritten } from '../../../lib/kube/just-written.ts';
import type { KubeRequest, KubeTransport } from '../../../lib/kube/transport.ts';

const key = { kind: 'Build', namespace: 'team', name: 'app-build-1' };
const build = {
  apiVersion: 'kpack.io/v1alpha2',
  kind: 'Build',
  metadata: { namespace: 'team', name: 'app-build-1' },
  spec: {},
};
const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'team', name: 'app' } };

/** An API server that takes everything, in version 7, and one process of ours. */
const begin = () => {
  const asked: string[] = [];
  let now = 0;
  const transport: KubeTransport = {
    server: 'one',
    send: async ({ method, path, body }: KubeRequest) => {
      asked.push(`${method} ${path}`);
      const stored = {
        ...(path.includes('/pods') ? pod : build),
        metadata: { namespace: 'team', name: path.split('/').at(-1) },
      };
      if (body?.includes('refuse') === true) throw new Error('refused');
      const { metadata, ...object } = JSON.parse(body ?? JSON.stringify(stored)) as typeof build;
      return {
        status: 200,
        body: JSON.stringify({ ...object, metadata: { ...metadata, uid: 'u', resourceVersion: '7' } }),
      };
    },
    stream: () => Promise.reject(new Error('not here')),
    close: () => undefined,
  };
  const justWritten = new JustWritten(() => new Date(now));
  const client = (version: string | undefined) =>
    kubeClient(transport, undefined, { justWritten, notOlderThan: () => version });
  return { asked, client, later: (seconds: number) => (now += seconds * 1000) };
};

describe('an object that was just written', () => {
  it('is waited for by who hears of its version before the write is answered', async () => {
    const { asked, client } = begin();
    const making = client(undefined).create(build);
    expect(await client('7').get(key)).toStrictEqual(await making);
    const writing = client(undefined).replaceStatus(build);
    expect(await client('7').get(key)).toStrictEqual(await writing);
    expect(asked.map((request) => request.split(' ')[0])).toStrictEqual(['POST', 'PUT']);
  });

  it('is read after a write that failed', async () => {
    const { asked, client } = begin();
    const refused = client(undefined).create({ ...build, metadata: { ...build.metadata, labels: { refuse: 'it' } } });
    const read = client('7').get(key);
    await expect(refused).rejects.toThrow('refused');
    expect(await read).toBeDefined();
    expect(asked.map((request) => request.split(' ')[0])).toStrictEqual(['POST', 'GET']);
  });

  it('is handed to the pass that knows its version, once, without asking the API server', async () => {
    const { asked, client } = begin();
    const made = await client(undefined).create(build);
    asked.length = 0;
    expect(await client('7').get(key)).toStrictEqual(made);
    expect(asked).toStrictEqual([]);
    await client('7').get(key);
    expect(asked).toHaveLength(1);
  });

  it('is handed out where an older version is known: two writes may follow each other faster than their events', async () => {
    const { asked, client } = begin();
    await client(undefined).create(build);
    asked.length = 0;
    await client('6').get(key);
    expect(asked).toStrictEqual([]);
  });

  it.each([undefined, '8', '10'])('is read where version %s is what is known', async (version) => {
    const { asked, client } = begin();
    await client(undefined).create(build);
    asked.length = 0;
    await client(version).get(key);
    expect(asked).toHaveLength(1);
  });

  it('is read some seconds later, and when its name is another’s', async () => {
    const { asked, client, later } = begin();
    await client(undefined).create(build);
    asked.length = 0;
    await client('7').get({ ...key, namespace: 'other' });
    later(5);
    await client('7').get(key);
    expect(asked).toHaveLength(2);
  });

  it('is read if it is large, or of a kind that has no passes, or one of very many', async () => {
    const { asked, client } = begin();
    await client(undefined).create({ ...build, spec: { env: 'x'.repeat(40_000) } });
    await client(undefined).create(pod);
    const many = Array.from({ length: 510 }, (_, index) => ({
      ...build,
      metadata: { ...build.metadata, name: `b-${index}` },
    }));
    for (const one of many) await client(undefined).create(one);
    asked.length = 0;
    await client('7').get(key);
    await client('7').get({ kind: 'Pod', namespace: 'team', name: 'app' });
    await client('7').get({ ...key, name: 'b-0' });
    await client('7').get({ ...key, name: 'b-509' });
    expect(asked).toHaveLength(3);
  });

  it('is kept with hundreds of others while a backlog waits, and goes when all are too long together', async () => {
    const { asked, client } = begin();
    const named = (at: number, padding = '') => ({
      ...build,
      metadata: { ...build.metadata, name: `app-${at}`, annotations: { padding } },
    });
    for (let at = 0; at < 400; at += 1) await client(undefined).create(named(at, 'x'.repeat(4000)));
    asked.length = 0;
    await client('7').get({ ...key, name: 'app-0' });
    expect(asked).toStrictEqual([]);
    for (let at = 400; at < 600; at += 1) await client(undefined).create(named(at, 'x'.repeat(30_000)));
    asked.length = 0;
    await client('7').get({ ...key, name: 'app-1' });
    expect(asked).toHaveLength(1);
  });
});
