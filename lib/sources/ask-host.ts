/** Asking a git host with regard for its circuit: while that is open nobody dials, and one probe at a time (DESIGN §3.14). */
import { GitError } from '../git/errors.ts';
import type { ListRefs, RefLister } from '../git/list-refs.ts';
import type { GitRef } from '../git/refs.ts';

/** Circuits of hosts; all times are Unix seconds. */
interface HostCircuits {
  admit(
    scope: string,
    now: number,
  ): Promise<{ readonly admitted: true } | { readonly admitted: false; readonly until: number }>;
  failed(scope: string, now: number, retryAfterSeconds?: number): Promise<void>;
  succeeded(scope: string, now: number): Promise<void>;
}

/** Nobody was asked: the host did not answer shortly before. It says nothing that was not known. */
export class HostRestsError extends GitError {
  constructor(authority: string, retryAfterSeconds: number) {
    super('host-unreachable', `${authority} did not answer shortly before; it is asked again`, {
      host: authority,
      retryAfterSeconds,
    });
  }
}

/** What asking needs. */
export interface AskHostPorts {
  readonly listRefs: RefLister;
  readonly circuits: HostCircuits;
}

/** Name of a git host's circuit; never that of a cluster. */
const circuitScopeOf = ({ host, port }: { readonly host: string; readonly port: number }): string =>
  `git:${host}:${port}`;

/** Refs of a repository. @throws GitError; HostRestsError without a call while the circuit is open */
export const askHost = async (
  { listRefs, circuits }: AskHostPorts,
  ask: ListRefs,
  now: Date,
  signal: AbortSignal,
): Promise<readonly GitRef[]> => {
  const scope = circuitScopeOf(ask.url);
  const seconds = Math.floor(now.getTime() / 1000);
  const admission = await circuits.admit(scope, seconds);
  if (!admission.admitted) {
    throw new HostRestsError(ask.url.authority, Math.max(1, admission.until - seconds));
  }
  try {
    const refs = await listRefs(ask, signal);
    await circuits.succeeded(scope, seconds);
    return refs;
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    // A host that refuses us is well: only silence opens its circuit.
    if (error.host === undefined) await circuits.succeeded(scope, seconds);
    else await circuits.failed(scope, seconds, error.retryAfterSeconds);
    throw error;
  }
};
