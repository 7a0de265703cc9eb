/** Which step made a pod fail, and how that is told (spec 02 §6.2, §7.1). */
import type { ContainerStatus, Pod } from 'kubernetes-types/core/v1.d.ts';
import { containerStatuses, initStatuses, isStep, stateOf } from './steps.ts';

/** A container that ended badly, with what it said. */
export interface FailedStep {
  readonly container: string;
  readonly message: string;
}

/** kpack's rule: the first init container that ended badly with something to say; a step always has, a foreign one may not. */
const failedInit = (pod: Pod): FailedStep | undefined => {
  for (const status of initStatuses(pod)) {
    const { terminated } = isStep(status.name) ? stateOf(status) : (status.state ?? {});
    if (terminated !== undefined && terminated.exitCode !== 0 && (terminated.message ?? '') !== '')
      return { container: status.name, message: terminated.message ?? '' };
  }
  return undefined;
};

const endedBadly = ({ name, state }: ContainerStatus): boolean =>
  isStep(name) && state?.terminated !== undefined && state.terminated.exitCode !== 0;

/**
 * The failed step. Beyond kpack, which then says nothing: a failed completion, and in the sidecar variant the first step that failed, as
 * the ones behind it end badly only because it did. Their message may be the log itself, so it is not repeated.
 */
export const failedStep = (pod: Pod): FailedStep | undefined => {
  const init = failedInit(pod);
  if (init !== undefined) return init;
  const regular = containerStatuses(pod).find(endedBadly);
  return regular === undefined
    ? undefined
    : { container: regular.name, message: `Container ${regular.name} terminated with error` };
};

/** Longest part of a log line in a condition, bytes. */
const longestLine = 800;

// oxlint-disable-next-line no-control-regex -- escape sequences start with a control character
const ansi = /[\u001B\u009B][[\]()#;?]*(?:\d{1,4}(?:;\d{0,4})*)?[\dA-PR-TZcf-nq-uy=><~]/g;

const cut = (line: string): string => {
  const bytes = Buffer.from(line);
  return bytes.length <= longestLine
    ? line
    : bytes
        .subarray(0, longestLine)
        .toString('utf8')
        .replace(/\uFFFD+$/, '');
};

/** The last line of a log that says something, without colours, at most 800 bytes; empty when there is none. */
export const lastLine = (log: string): string => {
  const lines = log.split(/\r?\n/).map((line) => line.replaceAll(ansi, ''));
  return cut(lines.findLast((line) => line.trim() !== '') ?? '');
};

/** In place of the line when the log cannot be read. */
export const noLog = 'could not retrieve container logs';

/** The condition's message for a failed pod: `line` is the last log line of the failed step (spec 02 §7.1). */
export const failureMessage = (pod: Pod, failed: FailedStep | undefined, line: string): string => {
  const said = pod.status?.message ?? '';
  if (failed === undefined) return said;
  const { namespace = '', name = '' } = pod.metadata ?? {};
  const command = `kubectl logs -n ${namespace} ${name} -c ${failed.container}`;
  return `Error: ${said} ${failed.message} ${line}: For more info use \`${command}\``;
};
