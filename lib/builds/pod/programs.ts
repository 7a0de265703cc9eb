/**
 * Our program beside images that are anybody's. A step of our own image copies it before any other image has started anything; everybody else
 * sees it read-only, so that what the next step runs is what we put there (DESIGN §3.28).
 */
import type { Container, Volume, VolumeMount } from 'kubernetes-types/core/v1.d.ts';
import type { Build } from '../../api/build.ts';
import { stepContainer } from './container.ts';
import type { StepProgram } from './context.ts';
import { emptyDir, readOnly } from './volumes.ts';

const written: VolumeMount = { name: 'programs-dir', mountPath: '/programs' };

/** As all steps but the one that copies see it. */
export const programs: VolumeMount = readOnly(written);
export const programsVolume: Volume = emptyDir(written.name);
/** The waiter, which runs in any image and takes 115 MB of the volume. */
export const waiterPath = `${written.mountPath}/waiter`;

/** The step that copies. */
export const copyWaiter = (build: Build, name: string, waiter: StepProgram): Container =>
  stepContainer(build, {
    name,
    ...waiter,
    args: ['-mode=copy', `-to=${waiterPath}`],
    workingDir: '/workspace',
    mounts: [written],
  });
