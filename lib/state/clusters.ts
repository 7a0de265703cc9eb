/** Registered clusters. Their operator writes this and nobody else; least of all a relay (DESIGN §3.26). */
import { ExpectedError } from '../errors/expected.ts';
import type { Rate } from '../kube/pace.ts';
import { text } from './attributes.ts';
import { clustersKey, registrationKey, registrationSortKey } from './keys.ts';
import type { Table } from './table.ts';
import { WatchHistory } from './watch-history.ts';

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
  /** How fast its API is asked at most, by each process; only its refusals slow it without (DESIGN §3.33). */
  readonly rate?: Rate | undefined;
}

/** How to reach a cluster's API server, and what is done in its name. Tokens and keys are never in the table. */
export type Registration = Trust & Access;

type Access =
  | { readonly access: 'kubeconfig'; readonly path: string; readonly context?: string | undefined }
  | { readonly access: 'in-cluster' }
  /** A kubeconfig, or the token for `server`, that AWS keeps; the table has its name alone. */
  | {
      readonly access: 'stored';
      readonly store: 'secretsmanager' | 'ssm';
      readonly name: string;
      readonly region: string;
      readonly form: 'kubeconfig';
      readonly context?: string | undefined;
    }
  | {
      readonly access: 'stored';
      readonly store: 'secretsmanager' | 'ssm';
      readonly name: string;
      readonly region: string;
      readonly form: 'token';
      readonly server: string;
      readonly caData: string;
    }
  | {
      readonly access: 'eks';
      readonly server: string;
      readonly caData: string;
      readonly eksName: string;
      readonly region: string;
      /** The role the cluster knows us as; the function's own without. */
      readonly roleArn?: string | undefined;
    };

const namesPerPage = 1000;

/** Nobody says how to reach the cluster: it was removed, or is not registered yet. */
export class NotRegisteredError extends ExpectedError {
  override readonly name = 'NotRegisteredError';

  constructor(cluster: string) {
    super(`cluster ${cluster} is not registered: register it, or remove what still sends its events`, { pace: 'slow' });
  }
}

/** The registrations. */
export class Clusters {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  /**
   * Registers or changes a cluster. Of one that was not registered nothing may be remembered any more, and what its relay has said meanwhile was not
   * believed. So the relay has to list everything, whether it starts or has been running all the time.
   */
  async register(cluster: string, registration: Registration): Promise<void> {
    if ((await this.registration(cluster)) === undefined) await new WatchHistory(this.#table).beginAnew(cluster);
    // Its name first: a cluster that is registered without it would have a relay whose silence nobody notices.
    await this.#table.put(clustersKey, cluster);
    await this.#table.update(registrationKey(cluster), registrationSortKey, {
      set: { registration: JSON.stringify(registration) },
    });
  }

  /** Forgets how to reach a cluster. What is recorded of its objects goes by itself, in days (lib/reconcile/due.ts). */
  async remove(cluster: string): Promise<void> {
    await this.#table.delete(registrationKey(cluster), registrationSortKey);
    await this.#table.delete(clustersKey, cluster);
  }

  /** The names of all clusters that are registered, in order. */
  async names(): Promise<readonly string[]> {
    const names: string[] = [];
    let from: string | undefined;
    do {
      const page = await this.#table.queryPartition(clustersKey, { limit: namesPerPage, from });
      names.push(...page.items.map((item) => text(item, 'sk') ?? ''));
      from = page.next;
    } while (from !== undefined);
    return names;
  }

  /** What is registered now; undefined when the cluster is not. */
  async registration(cluster: string): Promise<Registration | undefined> {
    const item = await this.#table.get(registrationKey(cluster), registrationSortKey);
    const registered = text(item ?? {}, 'registration');
    return registered === undefined ? undefined : (JSON.parse(registered) as Registration);
  }
}
