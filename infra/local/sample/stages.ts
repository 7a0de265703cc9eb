/** How long each stage of the sample took, by when it was first seen: the cluster's own times are whole seconds. */
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import { isTrue } from '../../../lib/reconcile/conditions.ts';
import type { SampleState } from './progress.ts';

/** A stage and the seconds it took, since the one before. */
export interface Stage {
  readonly name: string;
  readonly seconds: number;
}

const endedSteps = (pod: Pod | undefined): readonly string[] =>
  [...(pod?.status?.initContainerStatuses ?? []), ...(pod?.status?.containerStatuses ?? [])]
    .filter(({ state }) => state?.terminated !== undefined)
    .map(({ name }) => `step ${name}`);

/** What has been reached, in the order in which it is reached. */
const milestones = ({ rows, build, pod, image }: SampleState): readonly string[] => [
  ...rows
    .filter(({ name, state }) => state === 'ready' && name.startsWith('ClusterBuilder'))
    .map(() => 'builder image assembled and pushed'),
  ...rows.filter(({ name, state }) => state === 'ready' && name === 'SourceResolver').map(() => 'source resolved'),
  ...(build === undefined ? [] : ['Build made']),
  ...(pod === undefined ? [] : ['pod made']),
  ...endedSteps(pod),
  ...(isTrue(image, 'Ready') ? ['Image Ready'] : []),
];

/** Collects what each look at the sample shows for the first time. */
export class StageClock {
  readonly #started: number;
  readonly #seen = new Map<string, number>();

  /** `started` and the times given to `look` are in milliseconds of one clock. */
  constructor(started: number) {
    this.#started = started;
  }

  look(state: SampleState, now: number): void {
    for (const milestone of milestones(state)) if (!this.#seen.has(milestone)) this.#seen.set(milestone, now);
  }

  /** The stages in the order they were reached, and their sum. */
  stages(): readonly Stage[] {
    const reached = [...this.#seen].toSorted(([, a], [, b]) => a - b);
    const times = [this.#started, ...reached.map(([, at]) => at)];
    const stages = reached.map(([name, at], index) => ({ name, seconds: (at - (times[index] ?? at)) / 1000 }));
    return [...stages, { name: 'all of it', seconds: ((times.at(-1) ?? this.#started) - this.#started) / 1000 }];
  }
}
