/** How long a connection is used: as long as its registration, its credential and the server's certificate are right (DESIGN §3.34). */
import { describe, expect, it } from 'vitest';
import { clusterConnections } from '../../../lib/clusters/connect.ts';
import { registeredAccess } from '../../../lib/clusters/registered-access.ts';
import { registrations } from '../../../lib/clusters/registrations.ts';
import { KubeError } from '../../../lib/kube/errors.ts';
import type { KubeRequest } from '../../../lib/kube/transport.ts';
import { NotRegisteredError, type Registration } from '../../../lib/state/clusters.ts';

const at = (name: string): Registration => ({
  access: 'eks',
  server: `https://${name}`,
  caData: '',
  eksName: name,
  region: 'eu-west-1',
});
const question: KubeRequest = { method: 'POST', path: '/api/v1/pods' };
const signal = AbortSignal.timeout(60_000);
const unauthorized = new KubeError('unauthorized', 'POST: Unauthorized', { status: 401 });

/** API servers by name; each says what it says until told otherwise. */
const begin = () => {
  const state = {
    registered: at('a') as Registration | undefined,
    refusals: {} as Readonly<Record<string, Error>>,
    now: 100_000,
    key: 'old',
  };
  const opened: string[] = [];
  const asked: string[] = [];
  const closed: string[] = [];
  const clock = (): Date => new Date(state.now);
  const connections = clusterConnections({
    registrations: registrations({ registration: () => Promise.resolve(state.registered) }, clock),
    credentials: async () => ({ accessKeyId: state.key, secretAccessKey: 's' }),
    clock,
    random: () => 1,
    accessOf: registeredAccess,
    connect: (config) => {
      const server = new URL(config.getCurrentCluster()?.server ?? '').host;
      const name = `${server}${opened.length}`;
      opened.push(name);
      return {
        server,
        send: async () => {
          asked.push(name);
          const refusal = state.refusals[name];
          if (refusal === undefined) return { status: 200, body: name };
          throw refusal;
        },
        stream: () => Promise.reject(new Error('not here')),
        close: (after) => void closed.push(`${name} after ${after}`),
      };
    },
  });
  return { state, opened, asked, closed, connections, later: (seconds: number) => (state.now += seconds * 1000) };
};

describe('a connection', () => {
  it('is opened once, by the first request', async () => {
    const { connections, opened, later } = begin();
    const transport = await connections.transport('one');
    expect(opened).toEqual([]);
    await transport.send(question);
    later(6000);
    await transport.send(question);
    await connections.client('one', signal);
    expect(opened).toEqual(['a0']);
  });

  it('follows its registration within a minute, also for who holds it already', async () => {
    const { state, connections, closed, later } = begin();
    const transport = await connections.transport('one');
    await transport.send(question);
    state.registered = at('b');
    later(60);
    expect((await transport.send(question)).body).toBe('b1');
    expect(closed).toEqual(['a0 after 60000']);
  });

  it('outlives a change of what is granted in the cluster’s name', async () => {
    const { state, connections, opened, later } = begin();
    const transport = await connections.transport('one');
    await transport.send(question);
    state.registered = { ...at('a'), relayRoleId: 'AROA' };
    later(60);
    await transport.send(question);
    expect(opened).toEqual(['a0']);
  });

  it('ends with its registration', async () => {
    const { state, connections, closed, later } = begin();
    const transport = await connections.transport('one');
    await transport.send(question);
    state.registered = undefined;
    later(60);
    await expect(transport.send(question)).rejects.toThrow(NotRegisteredError);
    expect(closed).toEqual(['a0 after 60000']);
  });

  it.each([
    ['the server does not know its credential', unauthorized],
    ...['CERT_HAS_EXPIRED', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA'].map(
      (code): [string, KubeError] => [
        `TLS fails with ${code}`,
        new KubeError('unreachable', 'POST', { cause: Object.assign(new Error('x'), { code }) }),
      ],
    ),
  ])('is opened anew as it is registered now, and the request repeated, when %s', async (_, refusal) => {
    const { state, connections, asked } = begin();
    const transport = await connections.transport('one');
    await transport.send(question);
    state.refusals = { a0: refusal };
    state.registered = at('b');
    expect((await transport.send(question)).body).toBe('b1');
    expect(asked).toEqual(['a0', 'a0', 'b1']);
  });

  it('is not opened anew for a refusal that says nothing about the credential', async () => {
    const { state, connections, opened } = begin();
    const transport = await connections.transport('one');
    await transport.send(question);
    state.refusals = { a0: new KubeError('forbidden', 'POST: Forbidden', { status: 403 }) };
    state.registered = at('b');
    await expect(transport.send(question)).rejects.toThrow('Forbidden');
    expect(opened).toEqual(['a0']);
  });

  it('to a cluster of EKS is made of the identity that the process has now, when the one before is refused', async () => {
    const { state, connections, asked } = begin();
    const transport = await connections.transport('one');
    await transport.send(question);
    state.refusals = { a0: unauthorized };
    state.key = 'new';
    expect((await transport.send(question)).body).toBe('a1');
    expect(asked).toEqual(['a0', 'a0', 'a1']);
  });
});
