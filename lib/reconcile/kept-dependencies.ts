/** What a pass has declared to depend on, read once for all passes of this process until its next event. */
import type { KubeClient, NotOlderThan } from '../kube/client.ts';
import type { KubeObject, ObjectKey } from '../kube/object.ts';
import type { Dependency } from '../state/keys.ts';
import { isSameObject } from './known-versions.ts';
import type { Received } from './received.ts';

/** Whose reads they are. */
export interface Reading {
  readonly cluster: string;
  readonly epoch: string;
  /** What a relay in this process has received; nothing where it is another process. */
  readonly received?: Pick<Received, 'read'>;
  /** What the pass has declared so far: edges lead from these. */
  readonly declared: () => readonly Dependency[];
  /** The versions that events told the pass of. */
  readonly told: NotOlderThan;
  /** Nothing that is kept will do. */
  readonly isFresh: boolean;
}

/** `kube`, which asks for what has been declared only if an event has come since it was last asked for. */
export const withKeptDependencies = <Client extends Pick<KubeClient, 'get'>>(
  kube: Client,
  { cluster, epoch, received, declared, told, isFresh }: Reading,
): Client => {
  if (received === undefined) return kube;
  return {
    ...kube,
    get: <T extends KubeObject>(key: ObjectKey) => {
      const ask = (): Promise<T | undefined> => kube.get<T>(key);
      if (!declared().some((one) => isSameObject(one, key))) return ask();
      return received.read(cluster, epoch, key, { told: told(key), isFresh }, ask);
    },
  };
};
