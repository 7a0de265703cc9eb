/** Asking a git host with regard for its circuits: while one is open nobody dials, and one probe at a time (DESIGN §3.14). */
import { GitError } from '../git/errors.ts';
import type { ListRefs, RefLister } from '../git/list-refs.ts';
import type { GitRef } from '../git/refs.ts';
import type { HostCircuits } from '../state/host-circuits.ts';
import { hostScope, type Tenant } from '../state/keys.ts';

/** Nobody was asked: the host did not answer shortly before. It says nothing that was not known. */
export class HostRestsError extends GitError {
  constructor(authority: string, retryAfterSeconds: number) {
    super('host-unreachable', `${authority} did not answer shortly before; it is asked again`, {
      host: authority,
      heard: 'undialled',
      retryAfterSeconds,
    });
  }
}

/** What asking needs. */
export interface AskHostPorts {
  readonly listRefs: RefLister;
  readonly hosts: Pick<HostCircuits, 'admit' | 'failed' | 'succeeded' | 'unused'>;
}

/** Who asks, and when. */
export interface Asking {
  readonly tenant: Tenant;
  readonly now: Date;
}

/** Refs of a repository. @throws GitError; HostRestsError without a call while the tenant's circuit or that of everybody is open */
export const askHost = async (
  { listRefs, hosts }: AskHostPorts,
  ask: ListRefs,
  { tenant, now }: Asking,
  signal: AbortSignal,
): Promise<readonly GitRef[]> => {
  const scope = hostScope(ask.url);
  const seconds = Math.floor(now.getTime() / 1000);
  const admission = await hosts.admit(scope, tenant, seconds);
  if (!admission.admitted) {
    throw new HostRestsError(ask.url.authority, Math.max(1, admission.until - seconds));
  }
  try {
    const refs = await listRefs(ask, signal);
    await hosts.succeeded(scope, tenant, seconds);
    return refs;
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    // A host that refuses us is well: only silence opens a circuit. A signal of our own that fired says nothing of the host.
    if (error.heard === 'something') await hosts.succeeded(scope, tenant, seconds);
    else if (error.heard === 'nothing' && !signal.aborted)
      await hosts.failed(scope, tenant, seconds, error.retryAfterSeconds);
    else await hosts.unused(scope, tenant, seconds);
    throw error;
  }
};
