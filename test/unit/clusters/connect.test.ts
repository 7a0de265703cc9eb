/** How long a connection is used: as long as its registration, its credential and the server's certificate are right (DESIGN §3.34). */
import { describe, expect, it } from 'vitest';
import { clusterConnections } from '../../../lib/clusters/connect.ts';
import { registrations } from '../../../lib/clusters/registrations.ts';
import { KubeError } from '../../../lib/kube/errors.ts';
import type { KubeRequest, KubeTransport } from '../../../lib/kube/transport.ts';
import type { Registration } from '../../../lib/state/clusters.ts';

const at = (context: string): Registration => ({ access: 'kubeconfig', path: '/kubeconfig', context });
const question: KubeRequest = { method: 'POST', path: '/api/v1/pods' };
const signal = AbortSignal.timeout(60_000);

/** API servers by context; each says what it says until told otherwise. */
const begin = () => {
  const state = {
    registered: at('a') as Registration | undefined,
    refusal: undefined as Error | undefined,
    now: 10_000,
  };
  const opened: string[] = [];
  const asked: string[] = [];
  const open = (registration: Registration): KubeTransport => {
    const name = `${registration.access === 'kubeconfig' ? registration.context : ''}${opened.length}`;
    opened.push(name);
    return {
      server: name,
      send: async () => {
        asked.push(name);
        const { refusal } = state;
        if (refusal === undefined || opened.at(-1) !== name) return { status: 200, body: name };
        throw refusal;
      },
      stream: () => Promise.reject(new Error('not here')),
      close: () => undefined,
    };
  };
  const clock = (): Date => new Date(state.now);
  const known = registrations({ registration: () => Promise.resolve(state.registered) }, clock);
  const connections = clusterConnections({
    registrations: known,
    credentials: () => Promise.reject(new Error('not here')),
    clock,
    open,
  });
  return { state, opened, asked, connections, later: (seconds: number) => (state.now += seconds * 1000) };
};
const unauthorized = new KubeError('unauthorized', 'POST: Unauthorized', { status: 401 });

describe('a connection', () => {
  it('is opened once', async () => {
    const { connections, opened, later } = begin();
    const transport = await connections.transport('one');
    await transport.send(question);
    later(600);
    await transport.send(question);
    await connections.client('one', signal);
    expect(opened).toEqual(['a0']);
  });

  it('follows its registration within a minute, also for who holds it already', async () => {
    const { state, connections, later } = begin();
    const transport = await connections.transport('one');
    state.registered = at('b');
    later(60);
    expect((await transport.send(question)).body).toBe('b1');
  });

  it('ends with its registration', async () => {
    const { state, connections, later } = begin();
    const transport = await connections.transport('one');
    state.registered = undefined;
    later(60);
    await expect(transport.send(question)).rejects.toThrow(/cluster one is not registered/);
  });

  it.each([
    ['the server does not know its credential', unauthorized],
    [
      'the server’s certificate is not the one that is trusted',
      new KubeError('unreachable', 'POST', { cause: Object.assign(new Error('x'), { code: 'CERT_HAS_EXPIRED' }) }),
    ],
  ])('is opened anew, and the request repeated, when %s', async (_, refusal) => {
    const { state, connections, asked, later } = begin();
    const transport = await connections.transport('one');
    later(30);
    state.registered = at('b');
    state.refusal = refusal;
    const answer = transport.send(question).catch((error: unknown) => error);
    // The one that is opened now is the last, so it refuses as well: once more, and no more.
    expect(await answer).toBe(refusal);
    expect(asked).toEqual(['a0', 'b1']);
  });

  it('that was renewed carries out what the old one was refused', async () => {
    const { state, connections, later } = begin();
    const transport = await connections.transport('one');
    later(30);
    state.refusal = unauthorized;
    state.registered = at('b');
    const refusing = transport.send(question);
    state.refusal = undefined;
    expect((await refusing).status).toBe(200);
  });

  it('is not renewed for a refusal that says nothing about the credential, nor a moment after it was opened', async () => {
    const { state, connections, opened, later } = begin();
    const transport = await connections.transport('one');
    state.refusal = unauthorized;
    await expect(transport.send(question)).rejects.toBe(unauthorized);
    later(30);
    state.refusal = new KubeError('forbidden', 'POST: Forbidden', { status: 403 });
    await expect(transport.send(question)).rejects.toThrow('Forbidden');
    expect(opened).toEqual(['a0']);
  });

  it('is not believed for longer than half an hour: files with tokens and certificates change', async () => {
    const { connections, opened, later } = begin();
    const transport = await connections.transport('one');
    later(1801);
    await transport.send(question);
    expect(opened).toEqual(['a0', 'a1']);
  });
});
