/** Registrations as a process remembers them: for a minute at most, so that a change or a removal is obeyed soon (DESIGN §3.26). */
import type { Clusters, Registration } from '../state/clusters.ts';

/** Milliseconds that a registration is believed, and that a cluster is believed not to be registered. */
const believed = { registered: 60_000, unknown: 5000 } as const;
/** A function serves a bounded number of clusters; the one asked for longest ago is forgotten first. */
const mostKept = 500;

/** The registrations a process knows. */
export interface Registrations {
  /** At most a minute old. @throws StateError */
  readonly get: (cluster: string) => Promise<Registration | undefined>;
  /** As it is now. @throws StateError */
  readonly read: (cluster: string) => Promise<Registration | undefined>;
}

/** Remembers what `clusters` answers. Many who ask at once cost one read; a failure is not remembered. */
export const registrations = (clusters: Pick<Clusters, 'registration'>, clock: () => Date): Registrations => {
  const kept = new Map<string, { readonly answer: Promise<Registration | undefined>; until: number }>();

  const read = (cluster: string): Promise<Registration | undefined> => {
    const answer = clusters.registration(cluster);
    const entry = { answer, until: clock().getTime() + believed.registered };
    kept.delete(cluster);
    kept.set(cluster, entry);
    const settle = async (): Promise<void> => {
      try {
        if ((await answer) === undefined) entry.until = clock().getTime() + believed.unknown;
      } catch {
        if (kept.get(cluster) === entry) kept.delete(cluster);
      }
    };
    void settle();
    if (kept.size > mostKept) {
      const [oldest] = kept.keys();
      if (oldest !== undefined) kept.delete(oldest);
    }
    return answer;
  };

  return {
    read,
    get: (cluster) => {
      const entry = kept.get(cluster);
      return entry !== undefined && clock().getTime() < entry.until ? entry.answer : read(cluster);
    },
  };
};
