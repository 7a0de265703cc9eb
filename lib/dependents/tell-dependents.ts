/**
 * Wakes everybody who depends on an object, when what they can see of it has changed: pages of edges, at a bounded rate, with a
 * cursor, so that dying in the middle goes on where it was. `fannedHash` is written after the last page (DESIGN §3.8).
 */
import type { KubeClient } from '../kube/client.ts';
import { type KubeObject, type ObjectKey } from '../kube/object.ts';
import type { Message } from '../queue/message.ts';
import type { Sender } from '../queue/send.ts';
import { queueOf, rowOf } from '../reconcile/kind-table.ts';
import type { TargetKey } from '../state/keys.ts';
import type { Records } from '../state/records.ts';
import { visibleHash } from './visible-hash.ts';

/** What telling needs. */
export interface DependentsPorts {
  readonly records: Records;
  readonly sender: Sender;
  kube(cluster: string, signal: AbortSignal): Promise<KubeClient>;
  pause(milliseconds: number): Promise<void>;
}

const pageSize = 100;
/** A page a tenth of a second: 1,000 wake-ups a second put seconds of work ahead of anybody, not minutes. */
const pauseMilliseconds = 100;

const phases = ['exact', 'set'] as const;
type Phase = (typeof phases)[number];

/** `exact:` or `set:` and the last dependent told. */
const parseCursor = (cursor: string | undefined): { readonly phase: Phase; readonly from: string | undefined } => {
  const colon = cursor?.indexOf(':') ?? -1;
  const phase = cursor?.slice(0, colon) === 'set' ? 'set' : 'exact';
  return { phase, from: cursor?.slice(colon + 1) || undefined };
};

/** Runs one telling for the object that `target` names. */
export const dependentsRunner =
  (ports: DependentsPorts) =>
  async (target: TargetKey, messages: readonly Message[], budgetSeconds: number): Promise<string> => {
    const { cluster, kind, namespace, name } = target;
    const kube = await ports.kube(cluster, AbortSignal.timeout(budgetSeconds * 1000));
    const key: ObjectKey = { kind, namespace, name };
    const object = await kube.get<KubeObject>(key);
    const hash = visibleHash(object);
    const record = await ports.records.read(target);
    if (record.fannedHash === hash) return 'unchanged';

    const cause = {
      kind,
      namespace,
      name,
      uid: object?.metadata?.uid ?? '',
      resourceVersion: object?.metadata?.resourceVersion ?? `gone@${hash}`,
    };
    const epoch = messages.findLast((message) => message.epoch !== '')?.epoch ?? '';
    const wake = async (targets: readonly TargetKey[]): Promise<void> => {
      const byQueue = Map.groupBy(
        targets.filter((dependent) => rowOf(dependent.kind) !== undefined),
        (dependent) => queueOf(dependent.kind),
      );
      for (const [queue, dependents] of byQueue)
        await ports.sender.send(
          queue,
          dependents.map((dependent) => ({
            v: 1,
            cluster,
            epoch,
            target: { kind: dependent.kind, namespace: dependent.namespace, name: dependent.name },
            cause,
            reason: 'dependency',
          })),
        );
    };

    const resumed = parseCursor(record.fanningHash === hash ? record.fanCursor : undefined);
    for (const phase of phases.slice(phases.indexOf(resumed.phase))) {
      let from = phase === resumed.phase ? resumed.from : undefined;
      do {
        const page = await ports.records.dependents(
          cluster,
          { kind, namespace, name: phase === 'set' ? '*' : name },
          { limit: pageSize, from },
        );
        await wake(page.targets);
        from = page.next;
        if (from !== undefined) {
          await ports.records.saveFanCursor(target, hash, `${phase}:${from}`);
          await ports.pause(pauseMilliseconds);
        }
      } while (from !== undefined);
    }
    await ports.records.finishFan(target, hash);
    return 'told';
  };
