import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import { ExpectedError } from '../errors/expected.ts';
import type { KubeClient } from '../kube/client.ts';
import { failedStep, noLog } from './failed-step.ts';
import { lastLine, lastWords } from './last-words.ts';

/** Lines read to find the last ones that say something. */
const lines = 50;

/** What the log of the failed step gives: kpack's line, and what is added to its message. Both empty when no step failed. */
export interface LogEnd {
  readonly line: string;
  readonly more: string;
}

/** The end of the log of the step that made the pod fail; a log that cannot be read is said so and is no failure (spec 02 §7.1). */
export const failedLog = async (pod: Pod, kube: KubeClient): Promise<LogEnd> => {
  const failed = pod.status?.phase === 'Failed' ? failedStep(pod) : undefined;
  if (failed === undefined) return { line: '', more: '' };
  const { namespace = '', name = '' } = pod.metadata ?? {};
  try {
    const log = await kube.logTail({ kind: 'Pod', namespace, name }, failed.container, lines);
    return { line: lastLine(log), more: lastWords(failed, log) };
  } catch (error) {
    if (error instanceof ExpectedError) return { line: noLog, more: lastWords(failed, '') };
    throw error;
  }
};
