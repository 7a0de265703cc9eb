/** Waking a Build of any cluster: it was given a slot by one that ended, perhaps elsewhere (DESIGN §3.16). */
import { randomUUID } from 'node:crypto';
import type { Build } from '../api/build.ts';
import type { Sender } from '../queue/send.ts';
import { queueOf } from '../reconcile/kind-table.ts';
import type { SlotUser } from '../state/keys.ts';

/** Sends the wake-up; each is one of its own, as a Build may be given a slot more than once. @throws QueueError */
export const buildWaker =
  (sender: Sender) =>
  ({ cluster, namespace, name, uid }: SlotUser, { metadata }: Build): Promise<void> =>
    sender.send(queueOf('Build'), [
      {
        v: 1,
        cluster,
        epoch: '',
        target: { kind: 'Build', namespace, name },
        cause: {
          kind: 'Build',
          namespace: metadata.namespace ?? '',
          name: metadata.name,
          uid: metadata.uid ?? '',
          resourceVersion: metadata.resourceVersion ?? '',
        },
        reason: 'dependency',
        occasion: `slot/${uid}/${randomUUID()}`,
      },
    ]);
