/**
 * From a cluster's registration to its API, one connection a cluster and process. It follows its registration and whatever that names
 * (kube/followed-transport.ts), and ends with it (DESIGN §3.34).
 */
import type { AccessSource } from '../kube/access.ts';
import { type ClientOptions, type KubeClient, kubeClient } from '../kube/client.ts';
import { countedTransport } from '../kube/counted-transport.ts';
import { type FollowedPorts, followedTransport } from '../kube/followed-transport.ts';
import { inTurn } from '../kube/in-turn.ts';
import { JustWritten } from '../kube/just-written.ts';
import { type Rate, usualRate } from '../kube/pace.ts';
import { Patience, type Waits } from '../kube/patient-transport.ts';
import { type KubeTransport, transportWith } from '../kube/transport.ts';
import { type Metrics, noMetrics } from '../metrics/metrics.ts';
import { NotRegisteredError, type Registration } from '../state/clusters.ts';
import { type RegisteredPorts, registeredAccess } from './registered-access.ts';

/** Opens transports of registered clusters and keeps them. */
export interface ClusterConnections {
  /** Outlives a change of the registration. @throws NotRegisteredError */
  transport(cluster: string): Promise<KubeTransport>;
  readonly client: (cluster: string, signal: AbortSignal, asked?: Asked) => Promise<KubeClient>;
}

/** Until when a pass asks, and how fresh what it reads has to be. */
export type Asked = Pick<ClientOptions, 'notOlderThan' | 'until'>;

/** What connecting needs. */
export interface ConnectionPorts extends RegisteredPorts, Pick<FollowedPorts, 'connect' | 'random'> {
  /** Where a cluster's way in comes from; its registration unless a test gives another. */
  readonly accessOf?: (cluster: string, ports: RegisteredPorts) => AccessSource;
  /** Hears how long calls waited for a cluster's patience, now and then. */
  readonly waited?: (cluster: string, waits: Waits) => void;
  readonly metrics?: Pick<Metrics, 'add'>;
}

/** A function instance serves a bounded number of clusters at a time; the one used longest ago is closed first. */
const maxOpen = 50;
/** Requests that are under way when a connection is given up may end on it. */
const graceMilliseconds = 60_000;

/** An open connection. */
interface Connection {
  readonly transport: KubeTransport;
  readonly justWritten: JustWritten;
}

/** Connections by registration. */
export const clusterConnections = ({
  accessOf = registeredAccess,
  connect,
  random = Math.random,
  waited = () => undefined,
  metrics = noMetrics,
  ...registered
}: ConnectionPorts): ClusterConnections => {
  const { registrations, clock } = registered;
  /** The most recently used last. */
  const opened = new Map<string, Connection>();
  /** Kept while a connection is: what is known of a cluster's calls outlives what they are made on. */
  const patience = new Map<string, { readonly rate: Rate; readonly calls: Patience }>();

  const open = (cluster: string): Connection => ({
    transport: inTurn(
      countedTransport(
        followedTransport({
          source: accessOf(cluster, registered),
          clock,
          random,
          ...(connect === undefined ? {} : { connect }),
        }),
        metrics,
      ),
    ),
    justWritten: new JustWritten(clock),
  });

  const giveUp = (cluster: string): void => {
    opened.get(cluster)?.transport.close(graceMilliseconds);
    opened.delete(cluster);
    patience.delete(cluster);
  };

  /** The connection of a cluster that is registered, as it is registered. */
  const current = async (cluster: string): Promise<Connection & { readonly registration: Registration }> => {
    const registration = await registrations.get(cluster);
    if (registration === undefined) {
      giveUp(cluster);
      throw new NotRegisteredError(cluster);
    }
    const connection = opened.get(cluster) ?? open(cluster);
    opened.delete(cluster);
    opened.set(cluster, connection);
    const [oldest] = opened.keys();
    if (opened.size > maxOpen && oldest !== undefined) giveUp(oldest);
    return { ...connection, registration };
  };

  /** A rate that was registered anew begins anew. */
  const patienceWith = (cluster: string, { rate = usualRate }: Registration): Patience => {
    const known = patience.get(cluster);
    if (known?.rate.perSecond === rate.perSecond && known.rate.burst === rate.burst) return known.calls;
    const calls = new Patience(rate, { clock, random, waited: (waits) => waited(cluster, waits) });
    patience.set(cluster, { rate, calls });
    return calls;
  };

  const transportOf = (
    cluster: string,
    { transport, registration }: Connection & { readonly registration: Registration },
  ): KubeTransport =>
    patienceWith(cluster, registration).around(
      transportWith(transport, {
        send: async (request) => (await current(cluster)).transport.send(request),
        stream: async (request) => (await current(cluster)).transport.stream(request),
        refusalOver: (signal) => opened.get(cluster)?.transport.refusalOver?.(signal),
        close: () => giveUp(cluster),
      }),
    );

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
