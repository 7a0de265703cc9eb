/** Whose turn it is: tenants one after another, what a person waits for before what can wait (DESIGN §3.32). Pure data, no clock, O(1) a step. */

/** Something that wants to be worked on, and on whose account. */
export interface Waiting {
  readonly target: string;
  /** Cluster and namespace. */
  readonly tenant: string;
  /** It came in bulk (a list, dependents, what is due): it goes behind what somebody has just done. */
  readonly bulk: boolean;
}

/** One ring of tenants, each with its targets in the order they came. A Map keeps insertion order, so its first entry is whose turn it is. */
class Ring {
  readonly #tenants = new Map<string, Set<string>>();

  add(tenant: string, target: string): void {
    const targets = this.#tenants.get(tenant);
    if (targets === undefined) this.#tenants.set(tenant, new Set([target]));
    else targets.add(target);
  }

  remove(tenant: string, target: string): void {
    const targets = this.#tenants.get(tenant);
    targets?.delete(target);
    if (targets?.size === 0) this.#tenants.delete(tenant);
  }

  next(isLet: (tenant: string) => boolean): { readonly tenant: string; readonly target: string } | undefined {
    for (const [tenant, targets] of this.#tenants) {
      if (!isLet(tenant)) continue;
      this.#tenants.delete(tenant);
      for (const target of targets) {
        targets.delete(target);
        if (targets.size > 0) this.#tenants.set(tenant, targets);
        return { tenant, target };
      }
    }
    return undefined;
  }
}

/** After so many urgent ones in a row one in bulk goes first, so that a busy tenant cannot keep the daily look from everybody. */
const urgentInARow = 8;

/** The targets of one queue that wait. A target waits once, however many messages it has. */
export class Turns {
  readonly #urgent = new Ring();
  readonly #bulk = new Ring();
  readonly #waiting = new Map<string, Waiting>();
  #row = 0;

  get size(): number {
    return this.#waiting.size;
  }

  /** Lets it wait. What waits in bulk and becomes urgent moves up; what is urgent stays so. */
  add(wanted: Waiting): void {
    const known = this.#waiting.get(wanted.target);
    if (known !== undefined && (!known.bulk || wanted.bulk)) return;
    if (known !== undefined) this.#bulk.remove(known.tenant, known.target);
    this.#waiting.set(wanted.target, wanted);
    (wanted.bulk ? this.#bulk : this.#urgent).add(wanted.tenant, wanted.target);
  }

  /** Takes the next one of a tenant that is let; undefined when none waits. Those that are not let keep their turn. */
  next(isLet: (tenant: string) => boolean = () => true): Waiting | undefined {
    const bulkFirst = this.#row >= urgentInARow;
    const [first, second] = bulkFirst ? [this.#bulk, this.#urgent] : [this.#urgent, this.#bulk];
    const taken = first.next(isLet) ?? second.next(isLet);
    const waiting = taken && this.#waiting.get(taken.target);
    if (waiting === undefined) return undefined;
    this.#waiting.delete(waiting.target);
    this.#row = waiting.bulk ? 0 : this.#row + 1;
    return waiting;
  }
}
