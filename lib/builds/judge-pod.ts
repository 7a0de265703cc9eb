/** Whose a pod of the Build's name is, also where the record does not know it: after a crash it is ours if it is what would be made now. */
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import type { Build } from '../api/build.ts';
import type { Pass } from '../reconcile/reconciler.ts';
import { type BuildMemory, memoryText } from './build-memory.ts';
import { podForms } from './create-pod.ts';
import { nameTaken, refuseNotary } from './ends.ts';
import { madePod } from './made-pod.ts';
import { generatedAt, isOneOf, type Whose, whosePod } from './own-pod.ts';
import type { PodContext } from './pod/context.ts';
import { isRebase } from './pod/is-rebase.ts';
import { type BuildPorts, podSettingsOf } from './ports.ts';
import { isTakenOver } from './taken-over.ts';

/** What the reconciler does for it. */
export interface JudgePorts {
  /** Everything the pod is made from. */
  readonly gathered: (build: Build, pass: Pass) => Promise<PodContext>;
  /** Runs the step; what waits for people meanwhile holds no slot. */
  readonly withoutSlot: <T>(build: Build, pass: Pass, step: () => Promise<T>) => Promise<T>;
}

/** Judges pods, and waits for those that are not ours. */
export const podJudge = (ports: BuildPorts, { gathered, withoutSlot }: JudgePorts) => {
  /**
   * The pods that could be made for the Build now: where it is a rebase, one that builds if there is nothing to rebase; and each without the
   * Build's cache, should that have been given up.
   */
  const couldBeMade = async (build: Build, pass: Pass, pod: Pod): Promise<readonly Pod[]> => {
    refuseNotary(build);
    const gatheredNow = await gathered(build, pass);
    const context = { ...gatheredNow, now: generatedAt(pod) ?? gatheredNow.now };
    const contexts = isRebase(build, context.builder.stackId)
      ? [context, { ...context, lastImageIsGone: true }]
      : [context];
    const builds = [build, { ...build, spec: { ...build.spec, cache: {} } }];
    return contexts.flatMap((one) => builds.flatMap((each) => podForms(each, one)));
  };

  const judgeByForm = async (build: Build, pass: Pass, pod: Pod): Promise<Exclude<Whose, 'unknown'>> => {
    const wanted = await withoutSlot(build, pass, () => couldBeMade(build, pass, pod));
    return isOneOf(wanted, pod, podSettingsOf(build, ports).injectedSidecars);
  };

  return {
    /** Whose the pod is; one of which the record knows nothing is remembered once it is known to be ours. */
    judge: async (build: Build, pass: Pass, memory: BuildMemory, pod: Pod): Promise<Exclude<Whose, 'unknown'>> => {
      const whose = whosePod(build, memory, pod);
      if (whose !== 'unknown') return whose;
      const found = (await isTakenOver(pass.kube, build, pod)) ? 'ours' : await judgeByForm(build, pass, pod);
      if (found === 'ours') pass.remember(memoryText({ ...memory, pod: madePod(pod) }));
      return found;
    },

    /** Waits until a pod that is not ours is gone, without a slot; one that we made, and somebody changed, may still run in its slot. */
    refuse: async (build: Build, pass: Pass, { pod: made }: BuildMemory, pod: Pod, why: string): Promise<never> => {
      const refusal = nameTaken(pod, why);
      if (pod.metadata?.uid === made?.uid) throw refusal;
      return withoutSlot(build, pass, () => Promise.reject(refusal));
    },
  };
};
