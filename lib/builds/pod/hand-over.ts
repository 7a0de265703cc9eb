/**
 * Keeps the source from steps that run while it is fetched. They see one folder of its volume; prepare sees all of it, works in another, and
 * moves the source over when it is whole (lib/steps/prepare/hand-over.ts).
 */
import type { Container, VolumeMount } from 'kubernetes-types/core/v1.d.ts';
import { variable } from './container.ts';
import { workspace } from './volumes.ts';

/** The folder that the others see. */
const handedOver = 'app';

const shown = (mount: VolumeMount): VolumeMount =>
  mount.name === workspace.name
    ? { ...mount, subPath: mount.subPath === undefined ? handedOver : `${handedOver}/${mount.subPath}` }
    : mount;

/** The step where all start at once. */
export const handedOverBy = (step: Container): Container =>
  step.name === 'prepare'
    ? { ...step, env: [...(step.env ?? []), variable('HAND_OVER_TO', `${workspace.mountPath}/${handedOver}`)] }
    : { ...step, volumeMounts: (step.volumeMounts ?? []).map(shown) };
