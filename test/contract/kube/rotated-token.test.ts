/** A relay and passes with a bound token of a ServiceAccount in a `tokenFile`, on a real API server that ends the token (DESIGN §3.34). */
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { definitionOf } from '../../../infra/crds/definition.ts';
import { type Kind, kinds } from '../../../lib/api/kinds.ts';
import { clusterConnections } from '../../../lib/clusters/connect.ts';
import { registrations } from '../../../lib/clusters/registrations.ts';
import { kubeClient } from '../../../lib/kube/client.ts';
import type { KubeObject } from '../../../lib/kube/object.ts';
import { kubeTransport } from '../../../lib/kube/transport.ts';
import { type Relay, startRelay } from '../../../lib/relay/relay.ts';
import { WatchHistory } from '../../../lib/state/watch-history.ts';
import { type ApiServer, apiServerIsHere, startApiServer } from '../../support/api-server.ts';
import { requestOf } from '../../support/audit-line.ts';
import { type StateTables, stateTables } from '../../support/state-table.ts';

const documents = (file: string): readonly KubeObject[] =>
  parseAllDocuments(
    readFileSync(fileURLToPath(new URL(`../../../infra/cluster/${file}`, import.meta.url)), 'utf8'),
  ).map((document) => document.toJS() as KubeObject);

describe.runIf(apiServerIsHere)('a token that ends', () => {
  const stop = new AbortController();
  const secrets = '/api/v1/namespaces/kpack/secrets';
  let folder: string;
  let server: ApiServer;
  let tables: StateTables;
  let relay: Relay;
  let image: (signal: AbortSignal) => Promise<unknown>;

  /** A token that lives as long as the Secret `bound`. */
  const tokenBoundTo = async (bound: string): Promise<string> => {
    await server.api.send('POST', secrets, { apiVersion: 'v1', kind: 'Secret', metadata: { name: bound } });
    const answer = (await server.api.send('POST', '/api/v1/namespaces/kpack/serviceaccounts/kpackless/token', {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { boundObjectRef: { apiVersion: 'v1', kind: 'Secret', name: bound } },
    })) as { readonly status: { readonly token: string } };
    return answer.status.token;
  };
  const put = async (token: string): Promise<void> => {
    await writeFile(join(folder, 'token.new'), token);
    await rename(join(folder, 'token.new'), join(folder, 'token'));
  };
  const refusals = async (): Promise<number> =>
    (await readFile(server.layout.auditLog, 'utf8'))
      .split('\n')
      .filter((line) => line.endsWith('}'))
      .filter((line) => requestOf(line).code === 401).length;

  beforeAll(async () => {
    [folder, server, tables] = await Promise.all([
      mkdtemp(join(tmpdir(), 'kpackless-token-')),
      startApiServer(),
      stateTables(),
    ]);
    const adminTransport = kubeTransport(server.config);
    const admin = kubeClient(adminTransport);
    for (const kind of Object.keys(kinds) as readonly Kind[]) await admin.apply(definitionOf(kind));
    for (const file of ['rbac.yaml', 'relay-rbac.yaml', 'relay-in-process.yaml'])
      for (const object of documents(file)) await admin.apply(object);
    adminTransport.close();
    await put(await tokenBoundTo('first'));
    const path = join(folder, 'kubeconfig');
    const config = {
      clusters: [{ name: 'c', cluster: { server: server.url, 'certificate-authority': server.pki.ca.cert } }],
      users: [{ name: 'u', user: { tokenFile: 'token' } }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    };
    await writeFile(path, JSON.stringify(config));
    const clock = () => new Date();
    const connections = clusterConnections({
      registrations: registrations({ registration: async () => ({ access: 'kubeconfig', path }) }, clock),
      credentials: () => Promise.reject(new Error('nobody is asked')),
      clock,
    });
    image = async (signal) =>
      (await connections.client('one', signal)).get({ kind: 'Image', namespace: 'default', name: 'app' });
    const transport = await connections.transport('one');
    relay = startRelay(
      {
        cluster: 'one',
        transport,
        kube: kubeClient(transport, stop.signal),
        history: new WatchHistory(await tables.empty()),
        sender: { send: async () => undefined },
        clock,
        random: () => Math.random(),
        log: () => undefined,
      },
      stop.signal,
    );
  });
  afterAll(async () => {
    stop.abort();
    await relay?.stopped;
    await tables?.[Symbol.asyncDispose]();
    await server?.stop();
    await rm(folder, { recursive: true });
  });

  it('is shown a few times, and its successor within five seconds, by watches and by passes', async () => {
    await expect.poll(() => relay.notReady(), { timeout: 30_000 }).toStrictEqual([]);
    const next = await tokenBoundTo('second');
    await server.api.send('DELETE', `${secrets}/first`);
    // Watches end, and so does what the server remembers of tokens.
    await server.restart();
    await expect.poll(() => relay.notReady().length, { timeout: 20_000 }).toBeGreaterThan(0);
    await expect.poll(refusals, { timeout: 20_000 }).toBeGreaterThan(0);
    await sleep(10_000);
    await expect(image(AbortSignal.timeout(5000))).rejects.toThrow(/does not accept kpackless' credential/);
    // Those that asked at once, and one at a time since.
    expect(await refusals()).toBeLessThanOrEqual(relay.notReady().length + 10);
    const changedAt = performance.now();
    await put(next);
    await expect.poll(() => relay.notReady(), { timeout: 20_000, interval: 20 }).toStrictEqual([]);
    const seconds = (performance.now() - changedAt) / 1000;
    await image(AbortSignal.timeout(5000));
    console.log(`watching again ${seconds.toFixed(1)} s after the new token, ${await refusals()} requests refused`);
    expect(seconds).toBeLessThan(5);
  });
});
