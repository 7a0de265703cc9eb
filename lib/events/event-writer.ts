/**
 * Writes Kubernetes Events: an object that repeats itself has one with a series, a tenant that is busy a burst and then two a second, and a namespace in
 * which we may write none is left alone for a while. Nobody waits for them longer than a moment, and nothing fails for them.
 */
import { PermanentError } from '../errors/expected.ts';
import type { KubeClient } from '../kube/client.ts';
import { isKubeError } from '../kube/errors.ts';
import { type KubeObject, keyOf } from '../kube/object.ts';
import { sleep } from '../kube/sleep.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { Bursts } from '../queue/bursts.ts';
import { type About, kubernetesEvent, microTime } from './kubernetes-event.ts';
import type { Transition } from './transition.ts';

/** What writing needs. */
export interface EventWriterPorts {
  readonly metrics: Pick<Metrics, 'add'>;
  /** Hears why one could not be written. */
  warn(what: string, why: unknown): void;
}

/** An Event that is told again sooner is the same telling, of a pass that ran twice. */
const sameMilliseconds = 60_000;
/** A call that is made again and again, as lib/kube does, is not waited for. */
const patienceMilliseconds = 2000;
/** For so long a namespace that refuses is not asked again: RBAC is missing there, or it is being deleted. */
const refusedMilliseconds = 600_000;
/** Namespaces that are remembered as refusing. */
const mostRefusing = 10_000;

interface Stored extends KubeObject {
  readonly eventTime?: string | null;
  readonly series?: { readonly count: number; readonly lastObservedTime: string } | null;
}

/** Writes Events into clusters. One a process: what was written of late is known to it alone. */
export class EventWriter {
  readonly #ports: EventWriterPorts;
  readonly #bursts = new Bursts();
  /** By cluster and namespace, so that none silences another: until when it is left alone, in milliseconds since 1970. */
  readonly #refusing = new Map<string, number>();

  constructor(ports: EventWriterPorts) {
    this.#ports = ports;
  }

  /** Tells of a transition of `about`. Never rejects. */
  async write(kube: KubeClient, cluster: string, about: About, transition: Transition, now: Date): Promise<void> {
    const time = now.getTime();
    const tenant = `${cluster}/${about.namespace}`;
    if ((this.#refusing.get(tenant) ?? 0) > time) return;
    if (!this.#bursts.take(tenant, time)) {
      this.#ports.metrics.add('KubernetesEventsDropped', {});
      return;
    }
    const telling = this.#tell(kube, about, transition, now).catch((error: unknown) => {
      if (isKubeError(error, 'forbidden')) this.#leaveAlone(tenant, time + refusedMilliseconds);
      this.#ports.warn('a Kubernetes Event could not be written', error);
    });
    // It goes on beside what comes next, for as long as its pass may ask.
    const patience = new AbortController();
    await Promise.race([telling, sleep(patienceMilliseconds, patience.signal)]);
    patience.abort();
  }

  #leaveAlone(tenant: string, until: number): void {
    if (this.#refusing.size >= mostRefusing) this.#refusing.clear();
    this.#refusing.set(tenant, until);
  }

  async #tell(kube: KubeClient, about: About, transition: Transition, now: Date): Promise<void> {
    const event = kubernetesEvent(about, transition, now);
    try {
      await kube.create(event);
    } catch (error) {
      if (!isKubeError(error, 'already-exists')) throw error;
      await this.#repeat(kube, event, now);
    }
  }

  /** Counts one that is there already. */
  async #repeat(kube: KubeClient, event: KubeObject, now: Date): Promise<void> {
    const stored = await kube.get<Stored>(keyOf(event));
    if (stored === undefined) return;
    const { count = 1, lastObservedTime = stored.eventTime ?? '' } = stored.series ?? {};
    if (now.getTime() - Date.parse(lastObservedTime) < sameMilliseconds) return;
    const series = { count: count + 1, lastObservedTime: microTime(now) };
    try {
      // Of the version that was read: somebody who counts at the same moment counts the same thing.
      await kube.patch(keyOf(event), { metadata: { resourceVersion: stored.metadata?.resourceVersion }, series });
    } catch (error) {
      if (!isKubeError(error, 'conflict') && !(error instanceof PermanentError)) throw error;
    }
  }
}
