/** What a failed step said last: kpack's one line, and beyond it enough to understand the failure once the pod is gone. Pure. */
import { commitGoneExitCode } from '../api/step-exit.ts';
import { shownText } from '../text/shown-text.ts';
import { withoutEnd } from '../text/trim-end.ts';
import type { FailedStep } from './failed-step.ts';

/** Longest part of a log line in a condition, bytes. */
const longestLine = 800;
/** How much of a log is kept beyond the last line, lines and bytes: an object's status is no log store. */
const mostLines = 10;
const mostBytes = 2000;

// oxlint-disable-next-line no-control-regex -- escape sequences start with a control character
const ansi = /[\u001B\u009B][[\]()#;?]*(?:\d{1,4}(?:;\d{0,4})*)?[\dA-PR-TZcf-nq-uy=><~]/g;

const cut = (line: string): string => {
  const bytes = Buffer.from(line);
  // A character that was cut in two is no character any more.
  return bytes.length <= longestLine ? line : withoutEnd(bytes.subarray(0, longestLine).toString('utf8'), '\uFFFD');
};

const linesOf = (log: string): readonly string[] =>
  log
    .split(/\r?\n/)
    .map((line) => line.replaceAll(ansi, ''))
    .filter((line) => line.trim() !== '')
    // A buildpack may have quoted what it stumbled over.
    .map((line) => cut(shownText(line)));

/** The last line of a log that says something, without colours, at most 800 bytes; empty when there is none. */
export const lastLine = (log: string): string => linesOf(log).at(-1) ?? '';

/** What the lifecycle's exit codes mean (spec 03 §12). */
const ofLifecycle: Readonly<Record<number, string>> = {
  11: 'the lifecycle does not know the platform API that was chosen',
  12: 'a buildpack needs a buildpack API that the lifecycle does not know',
  20: 'no group of buildpacks fits the source',
  21: 'no group of buildpacks fits the source, and a buildpack failed while it looked',
  22: 'looking for buildpacks failed',
  32: 'reading the previous image failed',
  42: 'restoring the cache failed',
  51: 'a buildpack failed',
  52: 'building failed',
  62: 'writing the image failed',
  91: 'an image extension failed while it generated Dockerfiles',
  92: 'generating Dockerfiles failed',
  102: 'a Dockerfile of an image extension failed',
};

/** Our own: of the step that fetches the source. */
const ofPrepare: Readonly<Record<number, string>> = {
  [commitGoneExitCode]:
    'the git host no longer hands out the commit: a force-push took it away, or its branch was deleted; a revision that is a branch is built anew from its head, one that is a commit has to be changed',
};

/** Steps that are the lifecycle's. */
const lifecycleSteps = new Set(['analyze', 'detect', 'restore', 'extend-run', 'extend-build', 'build', 'export']);

/** What the kubelet's own word for the end of a container means, whatever its exit code. */
const ofKubelet: Readonly<Record<string, string>> = {
  OOMKilled: 'it had too little memory and was killed for it, see resources.limits',
  StartError: 'the node could not start it',
  ContainerCannotRun: 'the node could not start it',
};

/** Exit codes of containers that were stopped from outside; not said where it is known who did it. */
const stopped: Readonly<Record<number, string>> = { 137: 'it was killed', 143: 'it was asked to stop' };

/** The same where no kubelet says why: some runtimes report too little memory so. */
const stoppedWithoutWord: Readonly<Record<number, string>> = {
  ...stopped,
  137: 'it was killed; often it had too little memory, see resources.limits',
};

/** Added when the kubelet ended a pod because its time was over. */
export const timeIsOver = '; the time of the Build was over: give the Image a longer spec.build.buildTimeout';

/** How the step ended: by the kubelet's word if it has one of its own, else what its exit code means. Others' codes are their own. */
const meaningOf = ({ container, exitCode, reason = '' }: FailedStep, byNode: boolean): string | undefined => {
  const word = ofKubelet[reason];
  if (word !== undefined) return word;
  if (!byNode && exitCode in stopped) return (reason === '' ? stoppedWithoutWord : stopped)[exitCode];
  if (container === 'prepare') return ofPrepare[exitCode];
  return lifecycleSteps.has(container) ? ofLifecycle[exitCode] : undefined;
};

/**
 * What is added to kpack's message: what the exit code means, and the lines before the last one. Empty when there is nothing to
 * add. `byNode`: the kubelet ended the pod and says why.
 */
export const lastWords = (failed: FailedStep, log: string, byNode = false): string => {
  const { exitCode } = failed;
  const meaning = meaningOf(failed, byNode);
  const kept: string[] = [];
  let bytes = 0;
  for (const line of linesOf(log).slice(-mostLines).toReversed()) {
    bytes += Buffer.byteLength(line) + 1;
    if (bytes > mostBytes) break;
    kept.unshift(line);
  }
  const code = meaning === undefined ? '' : `; exit code ${exitCode}: ${meaning}`;
  return kept.length < 2 ? code : `${code}; last lines of its log:\n${kept.join('\n')}`;
};
