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

/** The circuits of all hosts. Times are Unix seconds. */
export class HostCircuits {
  readonly #table: Table;
  readonly #opened: () => void;
  /** What each tenant has seen; the last one at the end. */
  readonly #seen = new Map<string, Circuits>();

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
    const shared = await circuits.admit(host, now);
    if (!shared.admitted) await circuits.unused(own, now);
    return shared;
  }

  /** Not one byte came back. */
  async failed(host: HostScope, tenant: Tenant, now: number, retryAfterSeconds?: number): Promise<void> {
    const circuits = this.#seenBy(tenant);
    const counted = await circuits.failed(tenantScope(host, tenant), now, retryAfterSeconds);
    if (counted) await circuits.suspect(host, showTenant(tenant), now);
  }

  /** The host said something, whatever it was: it is alive for everybody. */
  async succeeded(host: HostScope, tenant: Tenant, now: number): Promise<void> {
    const circuits = this.#seenBy(tenant);
    await circuits.succeeded(tenantScope(host, tenant), now);
    await circuits.succeeded(host, now);
  }

  /** The host was not dialled after all: somebody else may. */
  async unused(host: HostScope, tenant: Tenant, now: number): Promise<void> {
    const circuits = this.#seenBy(tenant);
    await circuits.unused(tenantScope(host, tenant), now);
    await circuits.unused(host, now);
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
