import type { Build } from '../api/build.ts';
import { statusOf } from '../reconcile/conditions.ts';

/** Whether the Build ended, well or badly; its pod is never looked at again then. */
export const isFinished = (build: Build): boolean => statusOf(build, 'Succeeded') !== 'Unknown';
