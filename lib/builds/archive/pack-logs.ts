/** The logs of a pod's steps as one text, in the form that `kp build logs` prints, packed. */

import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import { ExpectedError, PermanentError } from '../../errors/expected.ts';
import { networkCause } from '../../errors/network-cause.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isKubeError } from '../../kube/errors.ts';
import { containerStatuses, initStatuses, isStep } from '../steps.ts';

/** What is kept of each step's log, bytes; nodes keep 10 MiB by default. With five passes at once the function must have the room. */
const keptBytes = 4 * 1024 * 1024;
/** Time for the log of one step, seconds. */
const readSeconds = 15;

/** Steps of the pod that ran or are running, in the order of the pod. */
export const stepsWithLog = (pod: Pod): readonly string[] => {
  const started = new Set(
    [...initStatuses(pod), ...containerStatuses(pod)]
      .filter(({ state }) => state?.terminated !== undefined || state?.running !== undefined)
      .map(({ name }) => name),
  );
  return [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])]
    .map(({ name }) => name)
    .filter((name) => isStep(name) && started.has(name));
};

/** How long to try. */
export interface PackOptions {
  /** Whether this is the last try: what cannot be read now is left out. */
  readonly isLastTry: boolean;
  /** When reading must be over, milliseconds of `performance.now()`. */
  readonly until: number;
}

/** A text, and the steps whose log is not in it. */
export interface PackedLogs {
  readonly gzip: Buffer<ArrayBuffer>;
  readonly unreadable: readonly string[];
}

/** Whether a log will never be had: the node has thrown it away, or the API server knows of none. */
const isGone = (error: unknown): boolean => isKubeError(error, 'not-found') || error instanceof PermanentError;

/**
 * Reads the logs of `steps` one after the other, so that one at a time is in memory.
 * @throws ExpectedError when a log may be had later and this is not the last try
 */
export const packLogs = async (
  pod: Pod,
  steps: readonly string[],
  kube: KubeClient,
  { isLastTry, until }: PackOptions,
): Promise<PackedLogs> => {
  const { namespace = '', name = '' } = pod.metadata ?? {};
  const unreadable: string[] = [];
  const read = async (step: string): Promise<Uint8Array> => {
    const seconds = Math.min(readSeconds, (until - performance.now()) / 1000);
    try {
      if (seconds < 1) throw new ExpectedError(`there was no time to read the log of ${step}`);
      const { bytes, leftOut } = await kube.logEnd({ kind: 'Pod', namespace, name }, step, keptBytes, seconds);
      const note = leftOut === 0 ? '' : `[${leftOut} bytes before this are left out]\n`;
      return Buffer.concat([Buffer.from(note), bytes]);
    } catch (error) {
      if (!isGone(error) && !(isLastTry && error instanceof ExpectedError)) throw error;
      unreadable.push(step);
      return Buffer.from(`[this log could not be read: ${networkCause(error)}]`);
    }
  };
  const text = async function* (): AsyncGenerator<Uint8Array> {
    for (const step of steps) {
      yield Buffer.from(`===> ${step.toUpperCase()}\n`);
      const log = await read(step);
      yield log;
      if (log.byteLength > 0 && log.at(-1) !== 0x0a) yield Buffer.from('\n');
    }
  };
  const packed: Buffer[] = [];
  await pipeline(text(), createGzip(), async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) packed.push(chunk);
  });
  return { gzip: Buffer.concat(packed), unreadable };
};
