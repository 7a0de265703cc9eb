/** Registered clusters and how far their watches have come. */
import { checkpointSortKey, clusterKey, registrationSortKey } from './keys.ts';
import type { Table } from './table.ts';

/** How to reach a cluster's API server. Tokens and keys are never in the table. */
export type Registration =
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
      /** Roles as which ECR is entered for this cluster, at most one per account. */
      readonly ecrRoles?: readonly string[] | undefined;
    };

const asText = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** Registrations, epochs and checkpoints. */
export class Clusters {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  /** Registers or changes a cluster; its epoch stays. */
  async register(cluster: string, registration: Registration): Promise<void> {
    await this.#table.update(clusterKey(cluster), registrationSortKey, {
      set: { registration: JSON.stringify(registration) },
    });
  }

  async registration(cluster: string): Promise<Registration | undefined> {
    const item = await this.#table.get(clusterKey(cluster), registrationSortKey);
    const text = asText(item?.['registration']);
    return text === undefined ? undefined : (JSON.parse(text) as Registration);
  }

  /** The epoch of the cluster's version history: `identity` (uid of kube-system) and how often it went back. */
  async epoch(cluster: string, identity: string): Promise<string> {
    const item = await this.#table.get(clusterKey(cluster), registrationSortKey);
    const known = asText(item?.['epoch']);
    if (known?.startsWith(`${identity}.`) === true) return known;
    const fresh = `${identity}.0`;
    await this.#table.update(clusterKey(cluster), registrationSortKey, { set: { epoch: fresh } });
    return fresh;
  }

  /** The history went back: everything recorded under `epoch` says nothing any more. */
  async nextEpoch(cluster: string, epoch: string): Promise<string> {
    const dot = epoch.lastIndexOf('.');
    const next = `${epoch.slice(0, dot)}.${Number(epoch.slice(dot + 1)) + 1}`;
    await this.#table.update(clusterKey(cluster), registrationSortKey, { set: { epoch: next } });
    return next;
  }

  /** The version up to which the events of `kind` were accepted by the queues, in this epoch. */
  async checkpoint(cluster: string, kind: string, epoch: string): Promise<string | undefined> {
    const item = await this.#table.get(clusterKey(cluster), checkpointSortKey(kind));
    return item?.['epoch'] === epoch ? asText(item['resourceVersion']) : undefined;
  }

  async saveCheckpoint(cluster: string, kind: string, epoch: string, resourceVersion: string): Promise<void> {
    await this.#table.update(clusterKey(cluster), checkpointSortKey(kind), { set: { epoch, resourceVersion } });
  }
}
