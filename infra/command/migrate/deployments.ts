/** Lays Deployments down and raises them again. */
import { ExpectedError } from '../../../lib/errors/expected.ts';
import { type ObjectKey, patchFor, showKey } from '../../../lib/kube/object.ts';
import {
  isLaidDown,
  type LiveDeployment,
  replicasAnnotation,
  replicasBefore,
  replicasOf,
} from '../../../lib/migration/kpack.ts';
import type { Tell } from '../output.ts';
import type { Move } from './move.ts';

const lookMilliseconds = 1000;
/** A pod has 30 s to end unless it says otherwise, and a node that is busy takes its time. */
const mostLooks = 180;

/** Waits until no pod of it is left. @throws ExpectedError after three minutes */
const podsGone = async ({ client, sleep }: Move, key: ObjectKey, tell: Tell): Promise<void> => {
  for (let looks = 0; ; looks += 1) {
    const found = await client.get<LiveDeployment>(key);
    if (found === undefined) return;
    const labels = Object.entries(found.spec?.selector.matchLabels ?? {}).map(([name, value]) => `${name}=${value}`);
    // Without labels everything in the namespace would be meant.
    const pods =
      labels.length === 0
        ? []
        : await client.list('Pod', { namespace: key.namespace, labelSelector: labels.join(',') });
    const names = pods.map(({ metadata }) => metadata?.name ?? '');
    if (names.length === 0 && (found.status?.replicas ?? 0) === 0) return;
    if (looks >= mostLooks)
      throw new ExpectedError(
        `${showKey(key)} has no replicas any more, but after ${mostLooks} s there is still ${names.join(', ') || 'a pod of it'}: look at it with kubectl -n ${key.namespace} get pods`,
      );
    tell(`waiting for ${names.join(', ') || 'its pods'} to end`);
    await sleep(lookMilliseconds);
  }
};

/** To no replicas; how many it had is written beside it. Waits until its pods are gone. @throws KubeError, ExpectedError */
export const layDown = async (move: Move, key: ObjectKey, tell: Tell): Promise<string> => {
  const found = await move.client.get<LiveDeployment>(key);
  if (found === undefined) return `${showKey(key)} is not there`;
  const replicas = replicasOf(found);
  const wasDown = isLaidDown(found);
  if (!wasDown)
    await move.client.patch(
      key,
      patchFor(found.metadata?.uid ?? '', {
        metadata: { annotations: { [replicasAnnotation]: String(replicas) } },
        spec: { replicas: 0 },
      }),
    );
  await podsGone(move, key, tell);
  return wasDown ? `${showKey(key)} was laid down before` : `${showKey(key)} had ${replicas} and has no replicas now`;
};

/** Back to as many as it had, and no mark is left; made anew from `backup` when it is gone. @throws KubeError */
export const raise = async ({ client }: Move, key: ObjectKey, backup: LiveDeployment): Promise<string> => {
  const found = await client.get<LiveDeployment>(key);
  if (found === undefined) {
    await client.create({ ...backup, kind: key.kind });
    return `${showKey(key)} was gone and is made anew`;
  }
  const marked = found.metadata?.annotations?.[replicasAnnotation] !== undefined;
  if (!marked && replicasOf(found) > 0) return `${showKey(key)} has ${replicasOf(found)} replicas`;
  const replicas = replicasOf(found) > 0 ? replicasOf(found) : replicasBefore(found, backup);
  await client.patch(
    key,
    patchFor(found.metadata?.uid ?? '', {
      metadata: { annotations: { [replicasAnnotation]: null } },
      spec: { replicas },
    }),
  );
  return `${showKey(key)} has ${replicas} replicas again`;
};

/** Waits for a pod of it that is ready, a minute at most; gives whether there is one. @throws KubeError */
export const available = async ({ client, sleep }: Move, key: ObjectKey, tell: Tell): Promise<boolean> => {
  for (let looks = 0; looks < 60; looks += 1) {
    const found = await client.get<LiveDeployment>(key);
    if ((found?.status?.availableReplicas ?? 0) > 0) return true;
    tell(`waiting for a pod of ${showKey(key)} to be ready`);
    await sleep(lookMilliseconds);
  }
  return false;
};
