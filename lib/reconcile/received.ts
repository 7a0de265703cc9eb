/**
 * Up to which version a relay in this process has received the events of each kind. Whoever declares a dependency and then reads it not older than
 * that misses nothing: a change that was told to dependents before they were known had been received, and a later one will be told to them
 * (DESIGN §3.8). On AWS the relay is another process, nothing is known here, and what is depended on is read from the store.
 */
import { isNewer } from '../kube/versions.ts';

interface Known {
  readonly epoch: string;
  readonly version: string;
}

/** The versions, by cluster and kind: as many as are watched. */
export class Received {
  readonly #known = new Map<string, Known>();

  /** A list or an event of this version has come in; what hands it on goes on afterwards. Versions of an older epoch are forgotten. */
  note(cluster: string, kind: string, epoch: string, version: string): void {
    const key = `${cluster}/${kind}`;
    const known = this.#known.get(key);
    if (known?.epoch !== epoch || isNewer(version, known.version)) this.#known.set(key, { epoch, version });
  }

  /** The newest of them, of this epoch; undefined while there is none. */
  version(cluster: string, kind: string, epoch: string): string | undefined {
    const known = this.#known.get(`${cluster}/${kind}`);
    return known?.epoch === epoch && known.version !== '' ? known.version : undefined;
  }
}
