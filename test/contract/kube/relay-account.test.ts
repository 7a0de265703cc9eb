/** The relay with the account it is given (infra/cluster/relay-rbac.yaml), on a real API server: enough to watch, and for nothing else. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { definitionOf } from '../../../infra/crds/definition.ts';
import { type Kind, kinds } from '../../../lib/api/kinds.ts';
import { type KubeClient, kubeClient } from '../../../lib/kube/client.ts';
import { isKubeError } from '../../../lib/kube/errors.ts';
import { tokenConfig } from '../../../lib/kube/kubeconfig.ts';
import type { KubeObject } from '../../../lib/kube/object.ts';
import { type KubeTransport, kubeTransport } from '../../../lib/kube/transport.ts';
import type { Message } from '../../../lib/queue/message.ts';
import { type Relay, startRelay } from '../../../lib/relay/relay.ts';
import { WatchHistory } from '../../../lib/state/watch-history.ts';
import { type ApiServer, apiServerIsHere, startApiServer } from '../../support/api-server.ts';
import { type StateTables, stateTables } from '../../support/state-table.ts';

const documents = (file: string): readonly KubeObject[] =>
  parseAllDocuments(
    readFileSync(fileURLToPath(new URL(`../../../infra/cluster/${file}`, import.meta.url)), 'utf8'),
  ).map((document) => document.toJS() as KubeObject);

describe.runIf(apiServerIsHere)('the account of a relay', () => {
  const stop = new AbortController();
  const sent: Message[] = [];
  let server: ApiServer;
  let tables: StateTables;
  let admin: KubeClient;
  let transport: KubeTransport;
  let own: KubeClient;
  let relay: Relay;
  beforeAll(async () => {
    [server, tables] = await Promise.all([startApiServer(), stateTables()]);
    admin = kubeClient(kubeTransport(server.config));
    for (const kind of Object.keys(kinds) as readonly Kind[]) await admin.apply(definitionOf(kind));
    for (const object of [...documents('rbac.yaml'), ...documents('relay-rbac.yaml')]) await admin.apply(object);
    const account = { namespace: 'kpack', name: 'kpackless-relay' };
    const token = await admin.token(account, 'https://kubernetes.default.svc', 600);
    const caData = readFileSync(server.pki.ca.cert).toString('base64');
    transport = kubeTransport(tokenConfig(server.url, caData, () => Promise.resolve(token)));
    own = kubeClient(transport);
    relay = startRelay(
      {
        cluster: 'one',
        transport,
        kube: own,
        history: new WatchHistory(await tables.empty()),
        sender: { send: async (_queue, messages) => void sent.push(...messages) },
        clock: () => new Date(),
        random: () => 0.5,
        log: () => undefined,
      },
      stop.signal,
    );
  });
  afterAll(async () => {
    stop.abort();
    await relay?.stopped;
    transport?.close();
    await server?.stop();
    await tables?.[Symbol.asyncDispose]();
  });

  it('watches every kind and hears of what is made', async () => {
    await expect.poll(() => relay.notReady(), { timeout: 30_000 }).toEqual([]);
    const image = { name: 'app', namespace: 'default' };
    await admin.create({
      apiVersion: 'kpack.io/v1alpha2',
      kind: 'Image',
      metadata: image,
      spec: {
        tag: 'registry.example/app',
        builder: { kind: 'Builder', name: 'b' },
        source: { git: { url: 'x', revision: 'y' } },
      },
    } as KubeObject);
    await expect
      .poll(() => sent.map(({ target }) => `${target.kind}/${target.name}`), { timeout: 10_000 })
      .toContain('Image/app');
  });

  const forbidden = async (call: Promise<unknown>): Promise<boolean> =>
    call.then(
      () => false,
      (error: unknown) => isKubeError(error, 'forbidden'),
    );

  it.each<[string, () => Promise<unknown>]>([
    ['reads no Secret', () => own.get({ kind: 'Secret', namespace: 'default', name: 's' })],
    ['lists no Secrets', () => own.list('Secret')],
    [
      'makes no pod',
      () => own.create({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: 'default' } }),
    ],
    ['changes no Image', () => own.patch({ kind: 'Image', namespace: 'default', name: 'app' }, { spec: { tag: 'x' } })],
    [
      'deletes no Image',
      () => own.delete({ kind: 'Image', metadata: { name: 'app', namespace: 'default', uid: 'u' } }),
    ],
    ['asks for no token', () => own.token({ namespace: 'kpack', name: 'kpackless' }, 'sts.amazonaws.com', 600)],
    ['looks at no other namespace object', () => own.list('Namespace')],
  ])('%s', async (_, call) => {
    expect(await forbidden(call())).toBe(true);
  });
});
