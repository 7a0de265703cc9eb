/**
 * What Lambda bills for a round of a page of git polls in which nothing moves (docs/decisions/0015-pages-of-polls.md): a warm bundle, a hundred repositories
 * of twenty namespaces behind TLS, at hosts that answer after a while, as they do across the net. The longer of processor time, turned into time
 * under the share of a processor that the memory buys, and of the clock.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleAll } from '../../../infra/bundle.ts';
import { linePacket, type Packet, writePacket } from '../../../lib/git/pkt-line.ts';
import { parseGitUrl } from '../../../lib/git/url.ts';
import { rowOf } from '../../../lib/reconcile/kind-table.ts';
import { GIT_POLL_KIND, gitPollFor } from '../../../lib/sources/polling.ts';
import { PollPages } from '../../../lib/state/poll-pages.ts';
import { selfSigned } from '../../support/self-signed.ts';
import { type Row, round } from '../row.ts';
import { billed, perEvent, startServices } from './invoke.ts';

const repositories = 100;
const namespaces = 20;
/** A host answers after so long: two ways across a continent and its own work. */
const hostMilliseconds = 150;
const goalMilliseconds = 20;
const hash = '1'.repeat(40);

/** A git host of any repository, whose branch `main` never moves. */
const startGitHost = async (folder: string) => {
  const { key, cert } = await selfSigned();
  const ca = join(folder, 'ca.pem');
  await writeFile(ca, cert);
  const packets: readonly Packet[] = [
    linePacket('# service=git-upload-pack'),
    { kind: 'flush' },
    linePacket(`${hash} refs/heads/main\0agent=git/2`),
    { kind: 'flush' },
  ];
  const answer = Buffer.concat(packets.map(writePacket));
  let listings = 0;
  const server = createServer({ key, cert }, (_request, response) => {
    listings += 1;
    setTimeout(() => {
      response.writeHead(200, { 'content-type': 'application/x-git-upload-pack-advertisement' }).end(answer);
    }, hostMilliseconds);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    ca,
    url: (name: string) => `https://127.0.0.1:${port}/team/${name}.git`,
    listings: () => listings,
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

/** A round of a full page. */
export const polls = async (): Promise<readonly Row[]> => {
  const folder = await mkdtemp(join(tmpdir(), 'kpackless-bench-polls-'));
  const host = await startGitHost(folder);
  const names = Array.from({ length: repositories }, (_, at) => ({
    name: `r${at}`,
    namespace: `team-${at % namespaces}`,
  }));
  const resolvers = names.map(({ name, namespace }) => ({
    apiVersion: 'kpack.io/v1alpha2',
    kind: 'SourceResolver',
    metadata: { name, namespace, resourceVersion: '1' },
    spec: { source: { git: { url: host.url(name), revision: 'main' } } },
  }));
  const services = await startServices([], resolvers);
  try {
    const pages = new PollPages(services.table);
    let page = { cluster: '', kind: GIT_POLL_KIND, namespace: '', name: '' };
    for (const { name, namespace } of names) {
      const poll = {
        cluster: 'bench',
        ...gitPollFor(parseGitUrl(host.url(name)), { name, namespace, secretName: undefined }),
      };
      const answers = [['main', `${hash} Branch`]] as const;
      const row = { poll, follower: name, secretName: undefined, hookedAt: undefined, answers, lookAt: 9_000_000_000 };
      page = await pages.enter(row, 300, () => 1);
    }
    const bundle = (await bundleAll(join(folder, 'bundles'))).find(({ name }) => name === 'git-poll');
    const kind = rowOf(GIT_POLL_KIND);
    if (bundle === undefined || kind === undefined) throw new Error('there is no function for polls');
    const environment = {
      ...services.environment,
      NODE_EXTRA_CA_CERTS: host.ca,
      KPACKLESS_EGRESS_ALLOW: '127.0.0.1/32',
      KPACKLESS_GIT_POLL_SECONDS: '300',
    };
    const { cluster, ...target } = page;
    let rounds = 0;
    const took = await perEvent(bundle, environment, (at) => {
      rounds += 1;
      const cause = { ...target, uid: '', resourceVersion: '' };
      const body = { v: 1, cluster, epoch: '', target, cause, reason: 'dependency', occasion: String(at) };
      const attributes = { ApproximateReceiveCount: '1', SenderId: 'AROABENCH00000000000:bench' };
      return {
        Records: [
          { messageId: '1', receiptHandle: '1', body: JSON.stringify(body), attributes, messageAttributes: {} },
        ],
      };
    });
    if (host.listings() !== rounds * repositories)
      throw new Error(`${rounds} rounds of ${repositories} repositories made ${host.listings()} listings`);
    const each = Math.max(billed(took.processor, kind), took.clock) / repositories;
    return [
      {
        measure: `billed for a look at one of ${repositories} repositories of a page, ${kind.memoryMb} MB`,
        measured: `${round(each)} ms (${round(billed(took.processor, kind) / repositories)} ms of processor time, ${round(took.clock / repositories)} ms by the clock)`,
        goal: `≤ ${goalMilliseconds} ms`,
        reached: each <= goalMilliseconds,
        figures: { milliseconds: each },
      },
    ];
  } finally {
    await services.stop();
    await host.stop();
    await rm(folder, { recursive: true, force: true });
  }
};
