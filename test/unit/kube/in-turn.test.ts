import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { inTurn } from '../../../lib/kube/in-turn.ts';
import type { KubeRequest, KubeTransport } from '../../../lib/kube/transport.ts';

/** A server whose answers the test gives, one at a time in the order of requests. */
const begin = (atOnce: number) => {
  const asked: string[] = [];
  const answers: ((failure?: Error) => void)[] = [];
  const transport = {
    server: 'api',
    send: (request: KubeRequest) =>
      new Promise((resolve, reject) => {
        asked.push(request.path);
        if (request.signal?.aborted === true) return reject(new Error('aborted'));
        answers.push((failure) => (failure === undefined ? resolve({ status: 200, body: '' }) : reject(failure)));
      }),
    stream: async ({ path }: KubeRequest) => void asked.push(`stream ${path}`),
    close: () => undefined,
  } as unknown as KubeTransport;
  const turns = inTurn(transport, atOnce);
  const ask = (path: string, signal?: AbortSignal) => {
    const answer = turns.send({ method: 'GET', path, signal });
    answer.catch(() => undefined);
    return answer;
  };
  const answer = async (failure?: Error): Promise<void> => {
    answers.shift()?.(failure);
    await setImmediate();
  };
  return { asked, turns, ask, answer };
};
const pathIn = (namespace: string, name: string): string =>
  `/apis/kpack.io/v1alpha2/namespaces/${namespace}/images/${name}`;
const names = (asked: readonly string[]): readonly string[] => asked.map((path) => path.split('/').at(-1) ?? '');

describe('requests to an API server', () => {
  it('go at once while few are under way, and no more than so many are', async () => {
    const { asked, ask, answer } = begin(3);
    for (let at = 0; at < 10; at += 1) void ask(pathIn('many', String(at)));
    await setImmediate();
    expect(names(asked)).toEqual(['0', '1', '2']);
    await answer();
    expect(names(asked)).toEqual(['0', '1', '2', '3']);
  });

  it('of one namespace do not stand before that of another, nor before what is in none', async () => {
    const { asked, ask, answer } = begin(2);
    for (let at = 0; at < 1000; at += 1) void ask(pathIn('many', String(at)));
    void ask(pathIn('other', 'single'));
    void ask('/apis/kpack.io/v1alpha2/clusterbuilders/base');
    await setImmediate();
    for (let at = 0; at < 4; at += 1) await answer();
    expect(names(asked)).toEqual(['0', '1', '2', 'single', 'base', '3']);
  });

  it('give their place back when they fail', async () => {
    const { asked, ask, answer } = begin(1);
    const first = ask(pathIn('many', 'first'));
    void ask(pathIn('many', 'second'));
    await setImmediate();
    await answer(new Error('refused'));
    await expect(first).rejects.toThrow('refused');
    expect(names(asked)).toEqual(['first', 'second']);
  });

  it('that are given up while they wait end at once, and keep nobody’s place', async () => {
    const { asked, ask, answer } = begin(1);
    const giveUp = new AbortController();
    void ask(pathIn('many', 'first'));
    const waiting = ask(pathIn('many', 'given-up'), giveUp.signal);
    void ask(pathIn('many', 'last'));
    await setImmediate();
    giveUp.abort();
    await expect(waiting).rejects.toThrow('aborted');
    await setImmediate();
    expect(names(asked)).toEqual(['first', 'given-up']);
    await answer();
    expect(names(asked)).toEqual(['first', 'given-up', 'last']);
  });

  it('that stay open hold no place', async () => {
    const { asked, turns, ask } = begin(1);
    void ask(pathIn('many', 'first'));
    await turns.stream({ method: 'GET', path: '/watch' });
    expect(asked).toContain('stream /watch');
  });
});
