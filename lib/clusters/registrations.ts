/** Registrations as a process remembers them: for a minute at most, so that a change or a removal is obeyed soon (DESIGN §3.26). */
import type { Clusters, Registration } from '../state/clusters.ts';

/** Milliseconds that a registration is believed, and that a cluster is believed not to be registered. */
const believed = { registered: 60_000, unknown: 5000, inOutage: 5000 } as const;
/** While the table is away what was last known goes on to hold, for so many milliseconds: an outage must not make strangers of relays. */
const outlasts = 3_600_000;
/** A function serves a bounded number of clusters; the one asked for longest ago is forgotten first. */
const mostKept = 500;

/** The registrations a process knows. */
export interface Registrations {
  /** At most a minute old; while the table is away, an hour. @throws StateError when nothing is known for so long */
  readonly get: (cluster: string) => Promise<Registration | undefined>;
  /** As it is now. @throws StateError */
  readonly read: (cluster: string) => Promise<Registration | undefined>;
}

/** Remembers what `clusters` answers. Many who ask at once cost one read; a failure is not remembered. */
export const registrations = (clusters: Pick<Clusters, 'registration'>, clock: () => Date): Registrations => {
  const kept = new Map<string, { readonly answer: Promise<Registration | undefined>; until: number }>();
  /** The last answers, and when they came. */
  const last = new Map<string, { readonly registration: Registration; readonly at: number }>();

  const read = (cluster: string): Promise<Registration | undefined> => {
    const answer = clusters.registration(cluster);
    const entry = { answer, until: clock().getTime() + believed.registered };
    kept.delete(cluster);
    kept.set(cluster, entry);
    const settle = async (): Promise<void> => {
      try {
        const registration = await answer;
        last.delete(cluster);
        if (registration === undefined) entry.until = clock().getTime() + believed.unknown;
        else last.set(cluster, { registration, at: clock().getTime() });
      } catch {
        if (kept.get(cluster) === entry) kept.delete(cluster);
        // A table that does not answer takes seconds to say so: not each who asks waits for that.
        const known = last.get(cluster);
        if (known !== undefined) {
          const until = Math.min(clock().getTime() + believed.inOutage, known.at + outlasts);
          kept.set(cluster, { answer: Promise.resolve(known.registration), until });
        }
      }
    };
    void settle();
    for (const known of [kept, last]) {
      const [oldest] = known.keys();
      if (known.size > mostKept && oldest !== undefined) known.delete(oldest);
    }
    return answer;
  };

  /** The answer, or what it was last time if none can be had. */
  const orLast = async (
    cluster: string,
    answer: Promise<Registration | undefined>,
  ): Promise<Registration | undefined> => {
    try {
      return await answer;
    } catch (error) {
      const known = last.get(cluster);
      if (known === undefined || clock().getTime() - known.at > outlasts) throw error;
      return known.registration;
    }
  };

  return {
    read,
    get: (cluster) => {
      const entry = kept.get(cluster);
      return orLast(cluster, entry !== undefined && clock().getTime() < entry.until ? entry.answer : read(cluster));
    },
  };
};
