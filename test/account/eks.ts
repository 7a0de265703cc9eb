/**
 * The part of EKS that lets somebody into a cluster (Amazon EKS API Reference): what a cluster is, access entries, pod identity associations. The clusters
 * themselves are real API servers.
 */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Where a cluster's API server is. */
export interface ControlPlane {
  readonly server: string;
  readonly caData: string;
}

/** A running EKS. */
export interface Eks {
  readonly endpoint: string;
  /** From now on there is a cluster of that name. */
  open(name: string, controlPlane: ControlPlane): void;
  /** The groups of Kubernetes that a cluster's access entries give a role, by the role's name; undefined without an entry. */
  groupsOf(cluster: string, role: string): readonly string[] | undefined;
  /** The role that pods of a ServiceAccount have, as `namespace/name`. */
  roleOf(cluster: string, account: string): string | undefined;
  close(): Promise<void>;
}

type Json = Readonly<Record<string, unknown>>;

/** A refusal, by the API's own words. */
class Refusal extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string) {
    super(code);
    this.status = status;
    this.code = code;
  }
}

const notFound = (): Refusal => new Refusal(404, 'ResourceNotFoundException');

interface Cluster {
  readonly described: Json;
  readonly entries: Map<string, Json>;
  readonly associations: Map<string, Json>;
}

const bodyOf = async (request: IncomingMessage): Promise<Json> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  return text === '' ? {} : (JSON.parse(text) as Json);
};

const described = (name: string, { server, caData }: ControlPlane, place: Place): Json => ({
  name,
  arn: `arn:aws:eks:${place.region}:${place.account}:cluster/${name}`,
  status: 'ACTIVE',
  version: '1.34',
  endpoint: server,
  certificateAuthority: { data: caData },
  accessConfig: { authenticationMode: 'API' },
  resourcesVpcConfig: { endpointPublicAccess: true, publicAccessCidrs: ['0.0.0.0/0'], vpcId: 'vpc-1' },
  identity: { oidc: { issuer: `https://oidc.eks.${place.region}.amazonaws.com/id/${name.toUpperCase()}` } },
});

/** Whose clusters they are. */
interface Place {
  readonly account: string;
  readonly region: string;
}

const ofEntries = ({ entries }: Cluster, method: string, arn: string | undefined, body: Json): Json => {
  if (arn === undefined && method === 'POST') {
    const principal = String(body['principalArn']);
    if (entries.has(principal)) throw new Refusal(409, 'ResourceInUseException');
    entries.set(principal, body);
    return { accessEntry: body };
  }
  const known = entries.get(arn ?? '');
  if (arn === undefined || known === undefined) throw notFound();
  if (method === 'DELETE') entries.delete(arn);
  else if (method === 'POST') entries.set(arn, { ...known, ...body });
  return { accessEntry: entries.get(arn) ?? {} };
};

const ofAssociations = (
  { associations }: Cluster,
  method: string,
  id: string | undefined,
  { body, query }: { readonly body: Json; readonly query: URLSearchParams },
): Json => {
  if (id === undefined && method === 'GET') {
    const isAsked = (one: Json): boolean =>
      one['namespace'] === query.get('namespace') && one['serviceAccount'] === query.get('serviceAccount');
    return { associations: [...associations.values()].filter(isAsked) };
  }
  if (id === undefined) {
    const associationId = `a-${associations.size + 1}`;
    const association = { ...body, associationId, externalId: `external-${associationId}` };
    associations.set(associationId, association);
    return { association };
  }
  const known = associations.get(id);
  if (known === undefined) throw notFound();
  if (method === 'DELETE') associations.delete(id);
  else associations.set(id, { ...known, ...body });
  return { association: { ...known, ...body } };
};

/** Starts it without clusters. */
export const startEks = async (place: Place): Promise<Eks> => {
  const clusters = new Map<string, Cluster>();

  const answer = (method: string, url: URL, body: Json): Json => {
    const [root, name = '', what, ...rest] = url.pathname.split('/').slice(1).map(decodeURIComponent);
    const cluster = clusters.get(name);
    if (root !== 'clusters' || cluster === undefined) throw notFound();
    const which = rest.length === 0 ? undefined : rest.join('/');
    switch (what) {
      case undefined:
        return { cluster: cluster.described };
      case 'addons':
        return { addon: { addonName: which, status: 'ACTIVE' } };
      case 'fargate-profiles':
        return { fargateProfileNames: [] };
      case 'access-entries':
        return ofEntries(cluster, method, which, body);
      case 'pod-identity-associations':
        return ofAssociations(cluster, method, which, { body, query: url.searchParams });
      default:
        throw notFound();
    }
  };

  const server = createServer((request, response) => {
    void (async () => {
      try {
        const url = new URL(request.url ?? '/', 'http://eks');
        const said = answer(request.method ?? 'GET', url, await bodyOf(request));
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(said));
      } catch (error) {
        const { status, code } = error instanceof Refusal ? error : new Refusal(500, String(error));
        response
          .writeHead(status, { 'content-type': 'application/json', 'x-amzn-errortype': code })
          .end(JSON.stringify({ message: code }));
      }
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;

  return {
    endpoint: `http://127.0.0.1:${port}`,
    open: (name, controlPlane) =>
      void clusters.set(name, {
        described: described(name, controlPlane, place),
        entries: new Map(),
        associations: new Map(),
      }),
    groupsOf: (cluster, role) =>
      [...(clusters.get(cluster)?.entries ?? [])].find(([arn]) => arn.endsWith(`:role/${role}`))?.[1][
        'kubernetesGroups'
      ] as readonly string[] | undefined,
    roleOf: (cluster, account) =>
      [...(clusters.get(cluster)?.associations.values() ?? [])].find(
        (one) => `${String(one['namespace'])}/${String(one['serviceAccount'])}` === account,
      )?.['roleArn'] as string | undefined,
    close: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
};
