/** What Kubernetes says of every container whose turn has not come, or that is just being made (kubelet, `ContainerStateWaiting`). */
const inTurn: ReadonlySet<string> = new Set(['PodInitializing', 'ContainerCreating']);

/** What holds a Build up, of the reason of its condition `Succeeded`; empty while it goes on. Pure. */
export const holdUpOf = (reason: string | undefined): string =>
  reason === undefined || inTurn.has(reason) ? '' : reason;
