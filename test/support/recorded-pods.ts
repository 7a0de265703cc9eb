/** Pods as a real API server held them when they had ended or waited (test/recorded/record.ts). */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Pod } from 'kubernetes-types/core/v1.d.ts';

/** One recording. Its pod was made at 2026-11-21T09:00:00Z. */
export interface RecordedPod {
  readonly name: string;
  /** Id of the row of the table that it shows. */
  readonly row: string;
  /** How it was made to happen. */
  readonly how: string;
  /** Version of the API server and the kubelet. */
  readonly kubernetes: string;
  readonly pod: Pod;
  readonly events?: readonly {
    readonly type: string;
    readonly reason: string;
    readonly message: string;
    readonly lastTimestamp: string;
  }[];
  /** Last line of the step that is told. */
  readonly log?: { readonly container: string; readonly line: string };
}

const folder = join(import.meta.dirname, '..', 'recorded', 'pods');

/** All recordings. */
export const recordedPods: readonly RecordedPod[] = readdirSync(folder)
  .toSorted()
  .map((file) => ({
    ...(JSON.parse(readFileSync(join(folder, file), 'utf8')) as Omit<RecordedPod, 'name'>),
    name: file.replace('.json', ''),
  }));
