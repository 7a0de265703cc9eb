import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import { ExpectedError } from '../errors/expected.ts';
import type { KubeClient } from '../kube/client.ts';
import { failedStep, lastLine, noLog } from './failed-step.ts';

/** Lines read to find the last that says something. */
const lines = 50;

/** The last log line of the step that made the pod fail; a log that cannot be read is said so and is no failure (spec 02 §7.1). */
export const failedLine = async (pod: Pod, kube: KubeClient): Promise<string> => {
  const failed = pod.status?.phase === 'Failed' ? failedStep(pod) : undefined;
  if (failed === undefined) return '';
  const { namespace = '', name = '' } = pod.metadata ?? {};
  try {
    return lastLine(await kube.logTail({ kind: 'Pod', namespace, name }, failed.container, lines));
  } catch (error) {
    if (error instanceof ExpectedError) return noLog;
    throw error;
  }
};
