/**
 * What attacks on the guard are made with: a victim on 127.0.0.1 and ::1 that counts who connects, an attacker's DNS server, hosts on 127.0.0.2 that
 * the operator lets through, and the ways out that functions are wired with.
 */
import { once } from 'node:events';
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer, type LookupFunction } from 'node:net';
import ssh2 from 'ssh2';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { blobFetch, type EgressSettings, gitWay, registryFetch } from '../../functions/egress.ts';
import { parseCidrs } from '../../lib/egress/cidr.ts';
import type { Fetch, NodeFetch } from '../../lib/egress/fetch.ts';
import { ExpectedError } from '../../lib/errors/expected.ts';
import { type GitWay, refLister } from '../../lib/git/list-refs.ts';
import { parseGitUrl } from '../../lib/git/url.ts';
import { openRegistry } from '../../lib/oci/client.ts';
import { parseReference } from '../../lib/oci/reference.ts';
import { blobProber } from '../../lib/sources/probe-blob.ts';

/** The widest that an operator sets without naming a host of his own: loopback is still closed, but for one address. */
export const attackedSettings: EgressSettings = {
  KPACKLESS_EGRESS_ALLOW: parseCidrs('127.0.0.2'),
  KPACKLESS_EGRESS_DENY: [],
  KPACKLESS_EGRESS_PRIVATE: 'allow',
};

/** Names as an attacker's DNS server answers them. */
export const attackersNames: Readonly<Record<string, readonly string[]>> = {
  '127.0.0.1.nip.example': ['127.0.0.1'],
  'localhost.': ['127.0.0.1', '::1'],
  localhost: ['127.0.0.1', '::1'],
  'app.localhost': ['::1'],
  'mapped.example': ['::ffff:127.0.0.1'],
  'zone.example': ['::1%lo'],
  'all.example': ['0.0.0.0', '::'],
  'metadata.google.internal': ['169.254.169.254'],
  'instance-data.ec2.internal': ['fd00:ec2::254'],
  'nat.example': ['64:ff9b::7f00:1'],
  'printer.local': ['127.0.0.1'],
};

/** What goes out to the network, for each client. */
export interface Ways {
  readonly git: GitWay;
  readonly blob: NodeFetch;
  readonly registry: Fetch;
}

/** All that a tenant can have dialled by writing a host. */
export const attackedWays = [
  'git over http',
  'git over https',
  'git over ssh',
  'a blob',
  'a blob over https',
  'a registry',
] as const;
export type AttackedWay = (typeof attackedWays)[number];

const { private: privateKey } = ssh2.utils.generateKeyPairSync('ed25519');
const key = { kind: 'ssh', secretName: 'k', username: 'git', privateKey } as const;

/** Each way as a client takes it: `host` with its port is what the tenant wrote. */
export const attempts = (ways: Ways): Readonly<Record<AttackedWay, (host: string) => Promise<unknown>>> => {
  const list = refLister(ways.git, { deadlineSeconds: 5, trustUnknownHosts: true });
  const registry = openRegistry({ retry: { attempts: 1 }, transport: { fetch: ways.registry } });
  const probe = (url: string) => blobProber(ways.blob)({ url, authorization: undefined }, AbortSignal.timeout(5000));
  // A form that a URL or a reference cannot have is refused when it is read: a failure like the others.
  const later =
    (attempt: (host: string) => Promise<unknown>) =>
    async (host: string): Promise<unknown> =>
      attempt(host);
  return {
    'git over http': later((host) => list({ url: parseGitUrl(`http://${host}/r.git`), prefixes: [] })),
    'git over https': later((host) => list({ url: parseGitUrl(`https://${host}/r.git`), prefixes: [] })),
    'git over ssh': later((host) =>
      list({ url: parseGitUrl(`ssh://git@${host}/r.git`), prefixes: [], credential: key }),
    ),
    'a blob': (host) => probe(`http://${host}/x`),
    'a blob over https': (host) => probe(`https://${host}/x`),
    'a registry': later((host) => registry.headManifest(parseReference(`${host}/team/app:1`))),
  };
};

/** The expected failure of what must not work. */
export const failureOf = async (work: Promise<unknown>): Promise<ExpectedError> => {
  const error: unknown = await work.then(
    () => new Error('it worked'),
    (thrown: unknown) => thrown,
  );
  if (error instanceof ExpectedError) return error;
  throw error;
};

/** Sets the world up for the tests of a file. */
export const egressWorld = () => {
  const state = {
    /** Connections to the victim. */
    reached: 0,
    /** Where the victim listens. */
    port: 0,
    /** Names that DNS was asked for, in order. */
    asked: [] as string[],
    /** What DNS answers to a name that it is asked for the n-th time; nothing for a name there is not. */
    answers: (host: string, _nth: number): readonly string[] | undefined => attackersNames[host],
    servers: [] as Server[],
  };
  const resolve: LookupFunction = (host, _options, callback) => {
    state.asked.push(host);
    const found = state.answers(host, state.asked.filter((one) => one === host).length);
    if (found === undefined) callback(Object.assign(new Error('not found'), { code: 'ENOTFOUND' }), []);
    else
      callback(
        null,
        found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      );
  };
  const victim = () =>
    createServer((socket) => {
      state.reached += 1;
      socket.destroy();
    });
  const [overIpv4, overIpv6] = [victim(), victim()];
  beforeAll(async () => {
    overIpv4.listen(0, '127.0.0.1');
    await once(overIpv4, 'listening');
    state.port = (overIpv4.address() as AddressInfo).port;
    // A machine may lack IPv6: then nobody can be reached there.
    overIpv6.on('error', () => undefined).listen(state.port, '::1');
  });
  afterAll(() => {
    overIpv4.close();
    overIpv6.close();
  });
  beforeEach(() => {
    state.reached = 0;
    state.asked = [];
    state.answers = (host) => attackersNames[host];
  });
  afterEach(() => {
    for (const server of state.servers.splice(0)) {
      server.close();
      server.closeAllConnections();
    }
  });
  return {
    state,
    resolve,
    /** Starts a host that is let through; gives it as `host:port`. */
    serve: async (listener: RequestListener): Promise<string> => {
      const server = createHttpServer(listener);
      state.servers.push(server);
      server.listen(0, '127.0.0.2');
      await once(server, 'listening');
      return `127.0.0.2:${(server.address() as AddressInfo).port}`;
    },
    /** The ways out of the functions. */
    guarded: (): Ways => ({
      git: gitWay(attackedSettings, { resolve }),
      blob: blobFetch(attackedSettings, { resolve }),
      registry: registryFetch(attackedSettings, { resolve }),
    }),
  };
};
