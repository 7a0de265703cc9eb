/** The cap on running builds, as a Build meets it (DESIGN §3.16). Without limits nothing is asked or written. */
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import type { Build } from '../api/build.ts';
import { buildPodName } from '../api/names.ts';
import { ExpectedError } from '../errors/expected.ts';
import type { KubeClient } from '../kube/client.ts';
import { isControlledBy, isDeleting } from '../kube/object.ts';
import type { Pass } from '../reconcile/reconciler.ts';
import { NotRegisteredError } from '../state/clusters.ts';
import type { SlotUser } from '../state/keys.ts';
import { type Cap, type IsAlive, mostCounted, type Place, type Slots } from '../state/slots.ts';
import { isFinished } from './is-finished.ts';

/** What a cap needs. A limit that is absent limits nothing. */
export interface CapPorts {
  readonly slots: Slots;
  /** Builds with a pod at once, in all clusters together. */
  readonly perInstallation?: number | undefined;
  /** Builds with a pod at once, in each namespace. */
  readonly perNamespace?: number | undefined;
  /** Other clusters, as their Builds hold slots too. */
  kube(cluster: string, signal: AbortSignal): Promise<KubeClient>;
  /** Wakes a Build of any cluster that was given a slot; `cause` is the one that gave it. */
  wake(user: SlotUser, cause: Build): Promise<void>;
}

/** Why a Build may not run yet. */
export interface Queued {
  readonly message: string;
  /** When to try again though nobody woke us. */
  readonly afterSeconds: number;
}

/** What the reconciler does with it. */
export interface BuildCap {
  /** Before the pod is made. Undefined: the Build has its slots, as it may have had before. */
  enter(build: Build, pass: Pass): Promise<Queued | undefined>;
  /** When it is certain that no pod runs or will run. Nothing happens the second time. */
  leave(build: Build, pass: Pass): Promise<void>;
}

const noCap: BuildCap = { enter: () => Promise.resolve(undefined), leave: () => Promise.resolve() };

/** Holders looked at in one pass, so that a large cap cannot fill it. */
const mostChecked = 50;
/** Holders that a message names. */
const mostNamed = 3;
/** Who is near its turn notices within a minute that a holder vanished without a word. */
const near = 10;

const userOf = ({ metadata }: Build, { cluster }: Pass): SlotUser => ({
  cluster,
  namespace: metadata.namespace ?? '',
  name: metadata.name,
  uid: metadata.uid ?? '',
});

const requestOf = (build: Build, pass: Pass) => ({
  user: userOf(build, pass),
  since: build.metadata.creationTimestamp ?? '',
});

/** Namespace first: who then waits for the installation waits among few of its namespace, and those who hold both always end. */
const capsOf = ({ perNamespace, perInstallation }: CapPorts, build: Build, { cluster }: Pass): readonly Cap[] => [
  ...(perNamespace === undefined
    ? []
    : [{ scope: { cluster, namespace: build.metadata.namespace ?? '' }, limit: perNamespace }]),
  ...(perInstallation === undefined ? [] : [{ scope: 'installation' as const, limit: perInstallation }]),
];

/** The condition's message. Names of other namespaces' Builds are nobody's business. */
const queuedMessage = ({ scope, limit }: Cap, { holders, ahead }: Place, namespace: string): string => {
  const whole = scope === 'installation';
  const setting = whole ? 'KPACKLESS_MAX_BUILDS' : 'KPACKLESS_MAX_BUILDS_PER_NAMESPACE';
  const where = whole ? 'in this installation' : `in namespace ${namespace}`;
  const named = holders
    .filter((holder) => holder.namespace === namespace)
    .map(({ name }) => name)
    .toSorted()
    .slice(0, mostNamed);
  const others = holders.length - named.length;
  const list = [...named, ...(others > 0 && named.length > 0 ? [`${others} more`] : [])].join(', ');
  const turns = whole ? '; namespaces take turns' : '';
  const before = ahead >= mostCounted ? `${mostCounted} or more` : String(ahead);
  return `at most ${limit} ${limit === 1 ? 'build' : 'builds'} may run at once ${where} (${setting})${list === '' ? '' : `, now ${list}`}; ${before} of this namespace wait before this one${turns}`;
};

/** The cap of an installation. */
export const buildCap = (ports: CapPorts | undefined): BuildCap => {
  if (ports === undefined || (ports.perInstallation === undefined && ports.perNamespace === undefined)) return noCap;
  const { slots } = ports;

  /** A Build that may still make a pod, or whose pod still runs. What cannot be asked counts as alive, unless its cluster was removed. */
  const aliveFor =
    ({ cluster, kube, signal }: Pass): IsAlive =>
    async (user) => {
      const { namespace, name, uid } = user;
      try {
        const client = user.cluster === cluster ? kube : await ports.kube(user.cluster, signal);
        const build = await client.get<Build>({ kind: 'Build', namespace, name });
        if (build?.metadata.uid === uid && !isFinished(build) && !isDeleting(build)) return true;
        const pod = await client.get<Pod>({ kind: 'Pod', namespace, name: buildPodName(name) });
        const phase = pod?.status?.phase ?? '';
        return (
          pod !== undefined && isControlledBy(pod, { metadata: { uid } }) && !['Succeeded', 'Failed'].includes(phase)
        );
      } catch (error) {
        if (error instanceof NotRegisteredError) return false;
        if (error instanceof ExpectedError) return true;
        throw error;
      }
    };

  const wakeAll = async (users: readonly SlotUser[], build: Build): Promise<void> => {
    for (const user of users) if (user.uid !== build.metadata.uid) await ports.wake(user, build);
  };

  /** Takes slots from holders that vanished: deleted in mid-build, or ended while nobody could give the slot back. */
  const reclaimDead = async (cap: Cap, build: Build, pass: Pass): Promise<boolean> => {
    const seconds = Math.floor(pass.now.getTime() / 1000);
    const holders = (await slots.toCheck(cap.scope, seconds)).toSorted((a, b) => (a.uid < b.uid ? -1 : 1));
    const isAlive = aliveFor(pass);
    let found = false;
    // Another part of a long list each minute.
    const start = holders.length === 0 ? 0 : (Math.floor(seconds / 60) * mostChecked) % holders.length;
    const turned = [...holders.slice(start), ...holders.slice(0, start)].slice(0, mostChecked);
    for (const holder of turned) {
      if (await isAlive(holder)) continue;
      found = true;
      await wakeAll(await slots.reclaim(cap, holder, isAlive), build);
    }
    return found;
  };

  return {
    enter: async (build, pass) => {
      const request = requestOf(build, pass);
      for (const cap of capsOf(ports, build, pass)) {
        let place = await slots.take(cap, request);
        if (place !== undefined && (await reclaimDead(cap, build, pass))) place = await slots.take(cap, request);
        if (place === undefined) continue;
        const message = queuedMessage(cap, place, request.user.namespace);
        return { message, afterSeconds: place.ahead < near ? 60 : 600 };
      }
      return undefined;
    },
    leave: async (build, pass) => {
      for (const cap of capsOf(ports, build, pass).toReversed())
        await wakeAll(await slots.release(cap, requestOf(build, pass), aliveFor(pass)), build);
    },
  };
};
