/**
 * What starts a step when its turn comes, beside images that are anybody's: a shell that needs nothing of its image, and a script, 2 MB. The first
 * step copies both before any other image has started; everybody else sees them read-only (DESIGN §3.28, §3.31).
 */
import type { Container, Volume, VolumeMount } from 'kubernetes-types/core/v1.d.ts';
import type { TurnProgram } from './context.ts';
import { emptyDir, readOnly } from './volumes.ts';

const written: VolumeMount = { name: 'turn-dir', mountPath: '/turn' };
const copied = { shell: `${written.mountPath}/busybox`, script: `${written.mountPath}/turn` };

export const turnVolume: Volume = emptyDir(written.name);
/** The last file that is copied. */
export const copyIsThere = copied.script;

/** How a step is started: from its own image where that is ours, running nothing from a volume; else with the copy. */
export const starter = (
  { image }: Container,
  turn: TurnProgram,
): { readonly command: string[]; readonly mounts: readonly VolumeMount[] } =>
  image === turn.image
    ? { command: [turn.shell, 'sh', turn.script], mounts: [] }
    : { command: [copied.shell, 'sh', copied.script], mounts: [readOnly(written)] };

/**
 * The same step, which copies for the others. As a hook, because the kubelet starts a pod's containers one after another and waits for the hook
 * in between, some 0.1 s; an init container would cost a second. Whoever starts without the copy fails; nobody can start another program in
 * its place.
 */
export const copying = (step: Container, { shell, script }: TurnProgram): Container => ({
  ...step,
  lifecycle: { postStart: { exec: { command: [shell, 'cp', shell, script, written.mountPath] } } },
  volumeMounts: [...(step.volumeMounts ?? []), written],
});
