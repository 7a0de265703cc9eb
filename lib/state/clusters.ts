/** Registered clusters and how far their watches have come: two items, since a relay writes the second and never the first (DESIGN §3.26). */
import { checkpointSortKey, historySortKey, registrationKey, registrationSortKey, relayKey } from './keys.ts';
import type { Table } from './table.ts';

/**
 * Leave to use a cloud identity of the installation at a registry, for some namespaces of one cluster (DESIGN §3.25). Without a grant
 * nobody's image name is worth any credential but their own.
 */
export interface RegistryGrant {
  /** Registry and perhaps a path, `123456789012.dkr.ecr.eu-west-1.amazonaws.com/team-a`: that repository and all below it. */
  readonly prefix: string;
  /** `write` includes reading. */
  readonly access: 'read' | 'write';
  /** Namespaces whose objects may use it; `*` stands for all. */
  readonly namespaces: readonly string[];
  /** Whether objects without a namespace may (ClusterBuilder, ClusterStore, ClusterStack …). */
  readonly clusterScoped: boolean;
  /** The role to become; without, it is the function's own identity. */
  readonly roleArn?: string | undefined;
}

/** What a registration says beside the way to the API server. */
interface Trust {
  readonly grants?: readonly RegistryGrant[] | undefined;
  /** Unique id of the IAM role of the cluster's relay (`AROA…`), as SQS stamps it on what the relay sends. */
  readonly relayRoleId?: string | undefined;
}

/** How to reach a cluster's API server, and what is done in its name. Tokens and keys are never in the table. */
export type Registration = Trust & Access;

type Access =
  | { readonly access: 'kubeconfig'; readonly path: string; readonly context?: string | undefined }
  | { readonly access: 'in-cluster' }
  | {
      readonly access: 'eks';
      readonly server: string;
      readonly caData: string;
      readonly eksName: string;
      readonly region: string;
      /** The role the cluster knows us as; the function's own without. */
      readonly roleArn?: string | undefined;
    };

const asText = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** Registrations, epochs and checkpoints. */
export class Clusters {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  /** Registers or changes a cluster. */
  async register(cluster: string, registration: Registration): Promise<void> {
    await this.#table.update(registrationKey(cluster), registrationSortKey, {
      set: { registration: JSON.stringify(registration) },
    });
  }

  async registration(cluster: string): Promise<Registration | undefined> {
    const item = await this.#table.get(registrationKey(cluster), registrationSortKey);
    const text = asText(item?.['registration']);
    return text === undefined ? undefined : (JSON.parse(text) as Registration);
  }

  /** The epoch of the cluster's version history: `identity` (uid of kube-system) and how often it went back. */
  async epoch(cluster: string, identity: string): Promise<string> {
    const item = await this.#table.get(relayKey(cluster), historySortKey);
    const known = asText(item?.['epoch']);
    if (known?.startsWith(`${identity}.`) === true) return known;
    const fresh = `${identity}.0`;
    await this.#table.update(relayKey(cluster), historySortKey, { set: { epoch: fresh } });
    return fresh;
  }

  /** The history went back: everything recorded under `epoch` says nothing any more. */
  async nextEpoch(cluster: string, epoch: string): Promise<string> {
    const dot = epoch.lastIndexOf('.');
    const next = `${epoch.slice(0, dot)}.${Number(epoch.slice(dot + 1)) + 1}`;
    await this.#table.update(relayKey(cluster), historySortKey, { set: { epoch: next } });
    return next;
  }

  /** The version up to which the events of `kind` were accepted by the queues, in this epoch. */
  async checkpoint(cluster: string, kind: string, epoch: string): Promise<string | undefined> {
    const item = await this.#table.get(relayKey(cluster), checkpointSortKey(kind));
    return item?.['epoch'] === epoch ? asText(item['resourceVersion']) : undefined;
  }

  async saveCheckpoint(cluster: string, kind: string, epoch: string, resourceVersion: string): Promise<void> {
    await this.#table.update(relayKey(cluster), checkpointSortKey(kind), { set: { epoch, resourceVersion } });
  }
}
