/**
 * From a cluster's registration to its API, one connection a cluster and process. A connection ends with its registration, with its age, and
 * with the first answer that says that our credential, or the certificate we trust, is not the right one any more (DESIGN §3.34).
 */
import { ExpectedError } from '../errors/expected.ts';
import { networkCause } from '../errors/network-cause.ts';
import { type ClientOptions, type KubeClient, kubeClient } from '../kube/client.ts';
import { type AwsCredentials, eksToken } from '../kube/eks-token.ts';
import { saysCredentialIsOld } from '../kube/errors.ts';
import { inTurn } from '../kube/in-turn.ts';
import { JustWritten } from '../kube/just-written.ts';
import { inClusterConfig, kubeconfigFile, tokenConfig } from '../kube/kubeconfig.ts';
import { type Rate, usualRate } from '../kube/pace.ts';
import { Patience, type Waits } from '../kube/patient-transport.ts';
import { type KubeTransport, kubeTransport } from '../kube/transport.ts';
import { NotRegisteredError, type Registration } from '../state/clusters.ts';
import { assumedRole } from './assumed-role.ts';
import type { Registrations } from './registrations.ts';

/** Opens transports of registered clusters and keeps them. */
export interface ClusterConnections {
  transport(cluster: string): Promise<KubeTransport>;
  readonly client: (cluster: string, signal: AbortSignal, asked?: Asked) => Promise<KubeClient>;
}

/** Until when a pass asks, and how fresh what it reads has to be. */
export type Asked = Pick<ClientOptions, 'notOlderThan' | 'until'>;

/** What connecting needs. */
export interface ConnectionPorts {
  readonly registrations: Registrations;
  /** Those of the function's role, asked for only by EKS clusters. */
  readonly credentials: () => Promise<AwsCredentials>;
  readonly clock: () => Date;
  readonly random?: () => number;
  /** Hears how long calls waited for a cluster's patience, now and then. */
  readonly waited?: (cluster: string, waits: Waits) => void;
  /** How a registration is entered; the real one unless a test gives another. @throws Error that says what is wrong with it */
  readonly open?: (registration: Registration, credentials: () => Promise<AwsCredentials>) => KubeTransport;
}

/** A function instance serves a bounded number of clusters at a time; the one used longest ago is closed first. */
const maxOpen = 50;
/** Files with tokens and certificates are replaced under us, so none is believed for ever. */
const longestMilliseconds = 30 * 60_000;
/** A connection that is refused at once is not helped by another: a refusal must not cost a handshake each. */
const shortestMilliseconds = 5000;
/** Requests that are under way when a connection is replaced may end on it. */
const graceMilliseconds = 60_000;

/** An open connection. */
interface Connection {
  readonly transport: KubeTransport;
  readonly registration: Registration;
  /** The registration as text: whether another is the same. */
  readonly registered: string;
  readonly openedAt: number;
  readonly justWritten: JustWritten;
}

const enter = (registration: Registration, credentials: () => Promise<AwsCredentials>): KubeTransport => {
  switch (registration.access) {
    case 'kubeconfig':
      return kubeTransport(kubeconfigFile(registration.path, registration.context));
    case 'in-cluster':
      return kubeTransport(inClusterConfig());
    case 'eks': {
      const { server, caData, eksName, region, roleArn } = registration;
      const identity = roleArn === undefined ? credentials : assumedRole({ roleArn, region, credentials });
      return kubeTransport(tokenConfig(server, caData, eksToken(eksName, region, identity)));
    }
  }
};

/** Lets what is under way end, then closes. */
const retire = ({ transport }: Connection): void => {
  setTimeout(() => transport.close(), graceMilliseconds).unref();
};

/** Connections by registration. */
export const clusterConnections = ({
  registrations,
  credentials,
  clock,
  random = Math.random,
  waited = () => undefined,
  open = enter,
}: ConnectionPorts): ClusterConnections => {
  /** The most recently used last. */
  const opened = new Map<string, Connection>();
  /** Kept while a connection is: what is known of a cluster's calls outlives what they are made on. */
  const patience = new Map<string, { readonly rate: Rate; readonly calls: Patience }>();

  const connect = (cluster: string, registration: Registration): Connection => {
    let transport: KubeTransport;
    try {
      transport = inTurn(open(registration, credentials));
    } catch (cause) {
      throw new ExpectedError(`cluster ${cluster} cannot be connected to: ${networkCause(cause)}`, {
        pace: 'slow',
        cause,
      });
    }
    return {
      transport,
      registration,
      registered: JSON.stringify(registration),
      openedAt: clock().getTime(),
      justWritten: new JustWritten(clock),
    };
  };

  const replace = (cluster: string, fresh: Connection | undefined): void => {
    const old = opened.get(cluster);
    opened.delete(cluster);
    if (fresh !== undefined) opened.set(cluster, fresh);
    if (old !== undefined && old !== fresh) retire(old);
    const [oldest] = opened.keys();
    if (opened.size > maxOpen && oldest !== undefined) replace(oldest, undefined);
    if (fresh === undefined) patience.delete(cluster);
  };

  /** The connection for what is registered; `renew` opens another even if that has not changed. */
  const connection = async (
    cluster: string,
    { read, renew }: { readonly read: Registrations['get']; readonly renew?: Connection },
  ): Promise<Connection> => {
    const registration = await read(cluster);
    if (registration === undefined) {
      replace(cluster, undefined);
      throw new NotRegisteredError(cluster);
    }
    const known = opened.get(cluster);
    const stands =
      known !== undefined &&
      known !== renew &&
      // The same object while it is believed: to compare its text at each request would cost more than the rest of this.
      (known.registration === registration || known.registered === JSON.stringify(registration)) &&
      clock().getTime() - known.openedAt < longestMilliseconds;
    const current = stands ? known : connect(cluster, registration);
    replace(cluster, current);
    return current;
  };

  const current = (cluster: string): Promise<Connection> => connection(cluster, { read: registrations.get });

  /** Runs a request; when it is refused for its credential, once more with what is registered and lies in files now: it was not carried out. */
  const perform = async <T>(cluster: string, request: (transport: KubeTransport) => Promise<T>): Promise<T> => {
    const used = await current(cluster);
    try {
      return await request(used.transport);
    } catch (error) {
      if (!saysCredentialIsOld(error) || clock().getTime() - used.openedAt < shortestMilliseconds) throw error;
      const fresh = await connection(cluster, { read: registrations.read, renew: used });
      return request(fresh.transport);
    }
  };

  /** A rate that was registered anew begins anew. */
  const patienceWith = (cluster: string, { registration: { rate = usualRate } }: Connection): Patience => {
    const known = patience.get(cluster);
    if (known?.rate.perSecond === rate.perSecond && known.rate.burst === rate.burst) return known.calls;
    const calls = new Patience(rate, { clock, random, waited: (waits) => waited(cluster, waits) });
    patience.set(cluster, { rate, calls });
    return calls;
  };

  const transportOf = (cluster: string, connected: Connection): KubeTransport =>
    patienceWith(cluster, connected).around({
      server: connected.transport.server,
      send: (request) => perform(cluster, (transport) => transport.send(request)),
      stream: (request) => perform(cluster, (transport) => transport.stream(request)),
      close: () => replace(cluster, undefined),
    });

  return {
    transport: async (cluster) => transportOf(cluster, await current(cluster)),
    client: async (cluster, signal, asked = {}) => {
      const connected = await current(cluster);
      const { grants = [] } = connected.registration;
      const { justWritten } = connected;
      return { ...kubeClient(transportOf(cluster, connected), signal, { ...asked, justWritten }), cluster, grants };
    },
  };
};
