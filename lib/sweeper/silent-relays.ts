/** Relays that have died: a cluster without one is looked at when due times come, and nobody would notice for a day (DESIGN §3.11). */
import { type Metrics, noMetrics } from '../metrics/metrics.ts';
import { type Log, sayError } from '../reconcile/log.ts';
import { relayState } from '../relay/heartbeat.ts';
import type { Clusters } from '../state/clusters.ts';
import type { WatchHistory } from '../state/watch-history.ts';

/** What looking needs. */
export interface SilentRelaysPorts {
  readonly clusters: Pick<Clusters, 'names'>;
  readonly history: Pick<WatchHistory, 'lastBeat'>;
}

/**
 * The registered clusters whose relay was heard of and is silent at `now` (Unix seconds), the longest silent first. Costs a read for each cluster. @throws
 * StateError
 */
export const silentRelays = async (
  { clusters, history }: SilentRelaysPorts,
  now: number,
): Promise<readonly string[]> => {
  const names = await clusters.names();
  const beats = await Promise.all(names.map(async (cluster) => ({ cluster, beat: await history.lastBeat(cluster) })));
  return beats
    .filter(({ beat }) => relayState(beat, now) === 'silent')
    .toSorted((a, b) => (a.beat?.beatAt ?? 0) - (b.beat?.beatAt ?? 0))
    .map(({ cluster }) => cluster);
};

/** Clusters that a line names at most. */
const mostNamed = 20;

/** Says which relays are silent at `now` (Unix seconds), as a metric too (infra/alarms.yml). That it cannot be known is no failure of the sweep. */
export const tellSilentRelays = async (
  ports: SilentRelaysPorts & { readonly log: Log; readonly metrics?: Metrics },
  now: number,
): Promise<void> => {
  try {
    const silent = await silentRelays(ports, now);
    (ports.metrics ?? noMetrics).add('SilentRelays', {}, silent.length);
    if (silent.length > 0) ports.log('error', 'relays are silent', { clusters: silent.slice(0, mostNamed) });
  } catch (error) {
    ports.log('warn', 'looking at relays failed', { why: sayError(error) });
  }
};
