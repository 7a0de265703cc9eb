/** lib/kube against a real API server: what a fake would only repeat after us (DESIGN §3.10, §3.11, §3.19). */
import type { ConfigMap } from 'kubernetes-types/core/v1.d.ts';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { PermanentError } from '../../../lib/errors/expected.ts';
import { type KubeClient, kubeClient } from '../../../lib/kube/client.ts';
import { isKubeError, type KubeErrorCode } from '../../../lib/kube/errors.ts';
import type { KubeObject } from '../../../lib/kube/object.ts';
import { type ReflectorPorts, runReflector } from '../../../lib/kube/reflector.ts';
import { sleep } from '../../../lib/kube/sleep.ts';
import { type KubeTransport, kubeTransport } from '../../../lib/kube/transport.ts';
import { usualTimes } from '../../../lib/kube/watch-times.ts';
import { type ApiServer, apiServerIsHere, startApiServer } from '../../support/api-server.ts';

type Map = ConfigMap & KubeObject;
const namespace = 'default';
const map = (name: string, data: Readonly<Record<string, string>> = {}): Map => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace, labels: { test: 'kube' } },
  data,
});

const codeOf = async (call: Promise<unknown>): Promise<KubeErrorCode | 'invalid' | 'fine'> => {
  const codes = ['not-found', 'conflict', 'already-exists', 'timeout', 'unreachable', 'server', 'expired'] as const;
  try {
    await call;
    return 'fine';
  } catch (error) {
    if (error instanceof PermanentError) return 'invalid';
    const code = codes.find((candidate) => isKubeError(error, candidate));
    if (code === undefined) throw error;
    return code;
  }
};

describe.runIf(apiServerIsHere)('a real API server', () => {
  let server: ApiServer;
  let transport: KubeTransport;
  let kube: KubeClient;
  beforeAll(async () => {
    server = await startApiServer();
    transport = kubeTransport(server.config);
    kube = kubeClient(transport);
  });
  afterAll(async () => {
    transport?.close();
    await server?.stop();
  });

  describe('the client', () => {
    it('reads what it made, and nothing for what is not there', async () => {
      await kube.create(map('made', { a: '1' }));
      expect(await kube.get<Map>({ kind: 'ConfigMap', namespace, name: 'made' })).toMatchObject({ data: { a: '1' } });
      expect(await kube.get({ kind: 'ConfigMap', namespace, name: 'absent' })).toBeUndefined();
    });

    it('404 for a kind that is not served is an error: it must not pass for a deleted object', async () => {
      expect(await codeOf(kube.get({ kind: 'Image', namespace, name: 'made' }))).toBe('not-found');
      expect(await kube.getForeign('example.com/v1', 'things', namespace, 'made')).toBeUndefined();
    });

    it('has a token made of a ServiceAccount for one audience, for ten minutes', async () => {
      const metadata = { namespace, name: 'cloud' };
      await kube.create<KubeObject>({ apiVersion: 'v1', kind: 'ServiceAccount', metadata });
      const [, payload = ''] = (await kube.token(metadata, 'sts.amazonaws.com', 600)).split('.');
      const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Readonly<Record<string, number>>;
      expect(claims).toMatchObject({ aud: ['sts.amazonaws.com'], sub: `system:serviceaccount:${namespace}:cloud` });
      expect((claims['exp'] ?? 0) - (claims['iat'] ?? 0)).toBe(600);
      expect(await codeOf(kube.token({ namespace, name: 'absent' }, 'sts.amazonaws.com', 600))).toBe('not-found');
    });

    it('a second POST says that the name is taken', async () => {
      await kube.create(map('twice'));
      expect(await codeOf(kube.create(map('twice')))).toBe('already-exists');
    });

    it('a PUT over somebody else’s write is a conflict, of object and of status', async () => {
      const first = await kube.create(map('contended'));
      await kube.replace({ ...first, data: { by: 'somebody' } });
      expect(await codeOf(kube.replace({ ...first, data: { by: 'us' } }))).toBe('conflict');
      const space = await kube.create<KubeObject>({
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: 'contended' },
      });
      await kube.patch({ kind: 'Namespace', namespace: '', name: 'contended' }, { metadata: { labels: { a: 'b' } } });
      expect(await codeOf(kube.replaceStatus(space))).toBe('conflict');
    });

    it('what the server calls invalid is nobody’s to repeat', async () => {
      expect(await codeOf(kube.create(map('Not a name')))).toBe('invalid');
    });

    it('deletes this very object and no namesake made since', async () => {
      const old = await kube.create(map('reborn'));
      await kube.delete(old);
      await kube.create(map('reborn'));
      await kube.delete(old);
      expect(await kube.get({ kind: 'ConfigMap', namespace, name: 'reborn' })).toBeDefined();
    });

    it('lists by label, with kinds filled in', async () => {
      const found = await kube.list<Map>('ConfigMap', { namespace, labelSelector: 'test=kube' });
      expect(found.map(({ kind }) => kind)).toContain('ConfigMap');
      expect(found.every(({ metadata }) => metadata?.labels?.['test'] === 'kube')).toBe(true);
    });

    it('an apply that changes nothing keeps the version', async () => {
      const first = await kube.apply(map('applied', { a: '1' }));
      const second = await kube.apply(map('applied', { a: '1' }));
      expect(second.metadata?.resourceVersion).toBe(first.metadata?.resourceVersion);
    });

    it('a budget that is spent ends the call', async () => {
      const spent = kubeClient(transport, AbortSignal.abort());
      expect(await codeOf(spent.list('ConfigMap'))).toBe('timeout');
    });
  });

  describe('the reflector', () => {
    let stop = new AbortController();
    let running: Promise<void> | undefined;
    afterEach(async () => {
      stop.abort();
      await running;
    });

    /** Watches ConfigMaps; `seen` has names of lists and changes as they come. */
    const reflect = (checkpoint?: string, more: Partial<ReflectorPorts> = {}) => {
      stop = new AbortController();
      const seen: string[] = [];
      const saved: string[] = [];
      const asked: string[] = [];
      let isReady = false;
      running = runReflector(
        'ConfigMap',
        'test=kube',
        {
          transport: {
            ...transport,
            stream: (request) => {
              const { watch, limit } = request.query ?? {};
              asked.push(watch === 'true' ? 'watch' : limit === '1' ? 'look' : `list ${limit}`);
              return transport.stream(request);
            },
          },
          listed: async ({ objects }) => {
            seen.push(...objects.map(({ metadata }) => `listed ${metadata.name}`));
          },
          changed: async (changes) =>
            void seen.push(
              ...changes.map(({ deleted, added, object }) =>
                [deleted ? 'deleted' : added ? 'added' : 'changed', object.metadata.name].join(' '),
              ),
            ),
          received: () => undefined,
          missed: () => undefined,
          loadCheckpoint: async () => checkpoint,
          saveCheckpoint: async (version) => void saved.push(version),
          wentBack: async () => void seen.push('went back'),
          ready: (ready) => {
            isReady = ready;
          },
          warn: () => undefined,
          timesBack: () => 0,
          pause: sleep,
          clock: () => new Date(),
          random: () => 0,
          ...more,
        },
        stop.signal,
      );
      const ready = async (): Promise<void> => {
        await expect.poll(() => isReady, { timeout: 20_000 }).toBe(true);
      };
      return { seen, saved, asked, ready };
    };

    it('lists in pages and then sees what is made, changed and deleted, of metadata alone', async () => {
      for (let index = 0; index < 501; index += 50)
        await Promise.all(
          Array.from({ length: Math.min(50, 501 - index) }, (_, offset) =>
            kube.create(map(`many-${index + offset}`, { bulk: 'x'.repeat(20_000) })),
          ),
        );
      const { seen, asked, ready } = reflect();
      await ready();
      expect(seen.filter((line) => line.startsWith('listed many'))).toHaveLength(501);
      // Whole, objects would be so large that pages stayed small.
      expect(asked.slice(0, 3)).toStrictEqual(['list 20', 'list 250', 'list 250']);
      const made = await kube.create(map('watched'));
      const changed = await kube.replace({ ...made, data: { a: '2' } });
      await kube.delete(changed);
      await expect.poll(() => seen.slice(-3)).toStrictEqual(['added watched', 'changed watched', 'deleted watched']);
    });

    it('from a checkpoint it sees what was deleted while nobody watched', async () => {
      const doomed = await kube.create(map('doomed'));
      await kube.delete(doomed);
      const { seen } = reflect(doomed.metadata?.resourceVersion);
      await expect.poll(() => seen.filter((line) => !line.startsWith('listed'))).toContain('deleted doomed');
    });

    it('a checkpoint from the future is a history that went back', async () => {
      const { seen, ready } = reflect('999999999999', { times: { ...usualTimes, behindSeconds: 1 } });
      await ready();
      expect(seen[0]).toBe('went back');
      expect(seen).not.toHaveLength(1);
    });

    it('goes on over a restart of the API server', async () => {
      const { seen, ready } = reflect();
      await ready();
      await server.restart();
      await kube.create(map('after-restart'));
      await expect.poll(() => seen.at(-1), { timeout: 40_000 }).toBe('added after-restart');
      expect(seen).not.toContain('went back');
    });

    it('watches a quiet kind over and over, and does not list it again', async () => {
      const { asked, saved, ready } = reflect(undefined, { times: { ...usualTimes, trustedSeconds: 5 } });
      await ready();
      await sleep(17_000, new AbortController().signal);
      // At most each half minute.
      expect(saved.length).toBeLessThanOrEqual(1);
      expect(asked.filter((what) => what === 'watch').length).toBeGreaterThanOrEqual(3);
      expect(asked.slice(asked.indexOf('watch')).join()).not.toContain('list');
    });

    it('ends at once', async () => {
      const { ready } = reflect();
      await ready();
      const before = performance.now();
      stop.abort();
      await running;
      expect(performance.now() - before).toBeLessThan(10_000);
    });
  });
});
