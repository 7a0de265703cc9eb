import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import { ExpectedError } from '../errors/expected.ts';
import type { KubeClient } from '../kube/client.ts';
import { withMore } from './ends.ts';
import { endedByDeadline, endedByNode, failedStep, noLog } from './failed-step.ts';
import { hasFailed } from './foreign.ts';
import { lastLine, lastWords, timeIsOver } from './last-words.ts';
import { succeededFrom } from './status.ts';

/** Lines read to find the last ones that say something. */
const lines = 50;

/** What the log of the failed step gives: kpack's line, and what is added to its message. Without a failed step there is no line. */
export interface LogEnd {
  readonly line: string;
  readonly more: string;
}

/** The end of the log of the step that made the pod fail; a log that cannot be read is said so and is no failure (spec 02 §7.1). */
export const failedLog = async (pod: Pod, kube: KubeClient): Promise<LogEnd> => {
  if (!hasFailed(pod)) return { line: '', more: '' };
  const time = endedByDeadline(pod) ? timeIsOver : '';
  const failed = failedStep(pod);
  if (failed === undefined) return { line: '', more: time };
  const { namespace = '', name = '' } = pod.metadata ?? {};
  const byNode = endedByNode(pod);
  try {
    const log = await kube.logTail({ kind: 'Pod', namespace, name }, failed.container, lines);
    return { line: lastLine(log), more: `${time}${lastWords(failed, log, byNode)}` };
  } catch (error) {
    if (error instanceof ExpectedError) return { line: noLog, more: `${time}${lastWords(failed, '', byNode)}` };
    throw error;
  }
};

/** How the pod ended, by its failed step and the last words of that. */
export const endedText = async (pod: Pod, kube: KubeClient): Promise<string> => {
  const { line, more } = await failedLog(pod, kube);
  return withMore(succeededFrom(pod, line), more).message ?? '';
};
