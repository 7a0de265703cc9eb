/**
 * Circuits of hosts that tenants name. What fails for one tenant is his own affair: his circuit opens at once, and for nobody else. A host
 * is ill for everybody only when several tenants in a row have heard nothing of it, and nobody anything (DESIGN §3.14).
 */
import { type Admission, Circuits } from './circuits.ts';
import { type HostScope, showTenant, type Tenant, tenantScope } from './keys.ts';
import type { Table } from './table.ts';

/** Hosts remembered for one tenant, and tenants: nobody's hosts take the room of another's. */
const mostHosts = 50;
const mostTenants = 500;
/** Hosts of which it is remembered for everybody that they are well. */
const mostWell = 1000;

/** The circuits of all hosts. Times are Unix seconds. */
export class HostCircuits {
  readonly #table: Table;
  readonly #opened: () => void;
  /** What each tenant has seen; the last one at the end. */
  readonly #seen = new Map<string, Circuits>();
  /** Until when it counts that a host was seen well by somebody: nobody else need look meanwhile. */
  readonly #wellUntil = new Map<HostScope, number>();
  /** Looks that are under way: whoever comes waits for what they find. */
  readonly #looks = new Map<HostScope, Promise<unknown>>();

  /** `opened` hears of every failure that opens a circuit, of a tenant or of everybody. */
  constructor(table: Table, opened: () => void = () => undefined) {
    this.#table = table;
    this.#opened = opened;
  }

  /** Asks before dialling: the tenant's own circuit, then the one of everybody. */
  async admit(host: HostScope, tenant: Tenant, now: number): Promise<Admission> {
    const circuits = this.#seenBy(tenant);
    const own = tenantScope(host, tenant);
    const admission = await circuits.admit(own, now);
    if (!admission.admitted) return admission;
    const shared = await this.#admittedToAll(circuits, host, now);
    if (!shared.admitted) await circuits.unused(own, now);
    return shared;
  }

  /** Not one byte came back. */
  async failed(host: HostScope, tenant: Tenant, now: number, retryAfterSeconds?: number): Promise<void> {
    this.#wellUntil.delete(host);
    const circuits = this.#seenBy(tenant);
    const counted = await circuits.failed(tenantScope(host, tenant), now, retryAfterSeconds);
    if (counted) await circuits.suspect(host, showTenant(tenant), now);
  }

  /** The host said something, whatever it was: it is alive for everybody. */
  async succeeded(host: HostScope, tenant: Tenant, now: number): Promise<void> {
    const circuits = this.#seenBy(tenant);
    await circuits.succeeded(tenantScope(host, tenant), now);
    if (!this.#isWell(host, now)) await circuits.succeeded(host, now);
  }

  /** The host was not dialled after all: somebody else may. */
  async unused(host: HostScope, tenant: Tenant, now: number): Promise<void> {
    const circuits = this.#seenBy(tenant);
    await circuits.unused(tenantScope(host, tenant), now);
    await circuits.unused(host, now);
  }

  #isWell(host: HostScope, now: number): boolean {
    return (this.#wellUntil.get(host) ?? Number.NEGATIVE_INFINITY) > now;
  }

  /** Asks the circuit of everybody, which one tenant does for all while the host is well. */
  async #admittedToAll(circuits: Circuits, host: HostScope, now: number): Promise<Admission> {
    // Not a turn is waited in vain: whoever comes in that turn would look too.
    const underWay = this.#looks.get(host);
    if (underWay !== undefined) await underWay;
    if (this.#isWell(host, now)) return { admitted: true };
    const look = async (): Promise<Admission> => {
      const admission = await circuits.admit(host, now);
      const until = circuits.wellUntil(host);
      if (this.#wellUntil.size >= mostWell) this.#wellUntil.clear();
      if (until !== undefined) this.#wellUntil.set(host, until);
      return admission;
    };
    const looking = look();
    const seen = looking
      .catch(() => undefined)
      .finally(() => {
        if (this.#looks.get(host) === seen) this.#looks.delete(host);
      });
    this.#looks.set(host, seen);
    return looking;
  }

  #seenBy(tenant: Tenant): Circuits {
    const key = showTenant(tenant);
    const circuits =
      this.#seen.get(key) ?? new Circuits(this.#table, { mostScopes: 2 * mostHosts, opened: this.#opened });
    this.#seen.delete(key);
    this.#seen.set(key, circuits);
    const [unused] = this.#seen.keys();
    if (this.#seen.size > mostTenants && unused !== undefined) this.#seen.delete(unused);
    return circuits;
  }
}
