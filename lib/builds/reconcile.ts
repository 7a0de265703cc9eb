/**
 * A Build is one pod, or one rebase in the registry. Make sure it is on its way, then report what it says; the pod's events bring us
 * back. Safe to run twice and to die after any line: the pod's name is the Build's, a rebase pushes the same bytes again, and a pod is
 * ours only if it is the one that was made for this very Build (spec 02 §6, DESIGN §3.9, §3.28).
 */
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import type { Build, BuildStatus } from '../api/build.ts';
import { refuseEnvReferences } from '../api/build-env.ts';
import type { Condition } from '../api/condition.ts';
import { withBuildDefaults } from '../api/defaults.ts';
import { buildPodName } from '../api/names.ts';
import { ExpectedError, PermanentError } from '../errors/expected.ts';
import { isKubeError } from '../kube/errors.ts';
import { withTransitionTimes } from '../reconcile/conditions.ts';
import { again, type Outcome, settled } from '../reconcile/outcome.ts';
import type { Pass, Reconciler } from '../reconcile/reconciler.ts';
import { anotherPod, notesOf, triesOf, withCacheOf } from './another-pod.ts';
import { type LogHolder, logArchive } from './archive/archive.ts';
import { attested, type Maker } from './attest.ts';
import { type BuildMemory, isSpecChanged, memoryOf, memoryText } from './build-memory.ts';
import { cancelling, isCancelled } from './cancel.ts';
import { buildCap } from './cap.ts';
import { createPod, podForms } from './create-pod.ts';
import { type Disruption, disruptionOf } from './disruption.ts';
import { endedByDeletion } from './ended-by-deletion.ts';
import { cancelledEnd, podDeleted, refuseNotary, specChanged, withMore } from './ends.ts';
import { failedStep } from './failed-step.ts';
import { statusAfter } from './failure.ts';
import { hasFailed } from './foreign.ts';
import { giveUpCache } from './give-up-cache.ts';
import { dependenciesOf, gather } from './inputs/gather.ts';
import { isFinished } from './is-finished.ts';
import { podJudge } from './judge-pod.ts';
import { endedText, failedLog } from './log-line.ts';
import { madePod } from './made-pod.ts';
import { type BuildMetadata, builtStatus } from './metadata.ts';
import { isStarting, overdue } from './overdue.ts';
import { whosePod } from './own-pod.ts';
import { patchedPod } from './patched-pod.ts';
import type { PodContext } from './pod/context.ts';
import { isRebase } from './pod/is-rebase.ts';
import { type Notes, remarkOf, withNoteOf } from './pod-notes.ts';
import type { BuildPorts } from './ports.ts';
import { mayWaitSeconds } from './progress.ts';
import { rebaseInRegistry } from './rebase.ts';
import { resultAfterLoss, resultOf } from './result.ts';
import { type Retreat, retreatFrom, retreatWaiting } from './retreat.ts';
import { podStatus, succeeded, succeededFrom } from './status.ts';
import { hasEnded, isBuilt } from './steps.ts';
import { buildTransition } from './transition.ts';
import { nextTry, retreatingTry, retryPolicyOf, triesText } from './tries.ts';
import { Waiting } from './waiting.ts';
import { whyGone } from './why-gone.ts';
import { lookAgainAt, whyNotStarted } from './why-not-started.ts';

/** Longest time between two looks at a pod whose events got lost, seconds. */
const lookAgainSeconds = 600;
/** The same for a pod that no node has taken: schedulers do not always tell that they found none again. */
const pendingSeconds = 300;
/** Longest that a Build whose pod was made says nothing, seconds: a scheduler tells of every pod sooner, where there is one. */
const firstWordSeconds = 10;
/** Time between two looks at a pod that is being stopped, seconds: the usual grace period, and a little for the node. */
const cancelSeconds = 45;
/** Time kept for making a pod after a rebase that took too long, seconds. */
const reserveSeconds = 10;

const rebaseSignal = (pass: Pass): AbortSignal =>
  AbortSignal.any([pass.signal, AbortSignal.timeout(Math.max(1, pass.remainingSeconds() - reserveSeconds) * 1000)]);

/** Whether its status says nothing yet. */
const isUntold = ({ status }: Build): boolean =>
  (status?.conditions ?? []).length === 0 && (status?.podName ?? '') === '';

/** The reconciler of Builds. */
export const buildReconciler = (ports: BuildPorts): Reconciler<Build> => {
  const cap = buildCap(ports.cap);
  const logs = logArchive(ports.archive);
  const another = anotherPod({
    policy: ports.retries,
    write: (build, pass, status, pod) => write(build, pass, status, pod),
    keepLogs: logs.earlier,
    leave: (build, pass) => cap.leave(build, pass),
  });

  /** Writes the status. Logs of `pod` are archived before the Build ends, so that one write tells both. */
  const write = async (
    build: Build,
    pass: Pass,
    status: BuildStatus & { readonly conditions: readonly Condition[] },
    pod: LogHolder = 'none',
  ): Promise<Outcome> => {
    // Whoever has something to report waits for nobody any more.
    await pass.dependOn([]);
    const ends = isFinished({ ...build, status });
    // Before it is said that the Build ended: nobody looks at it afterwards.
    if (ends) await cap.leave(build, pass);
    const wanted = [...status.conditions, ...(await logs.conditions(build, pod, pass))];
    const next = {
      ...build.status,
      ...status,
      conditions: [...withTransitionTimes(wanted, build.status?.conditions, pass.now)],
      observedGeneration: build.metadata.generation,
    };
    const written = await pass.writeStatus(build, next);
    return isFinished(written) ? logs.outcome(written, pass.now) : again(lookAgainSeconds, 'the pod has not ended');
  };

  /** What was built and, if wanted, its attestation. While that is tried again the Build holds no slot: its pod is over. */
  const written = async (
    build: Build,
    pass: Pass,
    made: BuildMetadata,
    rest: Partial<BuildStatus>,
    maker: Maker,
  ): Promise<Outcome> => {
    const noted = typeof maker === 'object' ? remarkOf(maker) : '';
    const succeededWith = (more: Partial<BuildStatus>, remark = ''): Promise<Outcome> => {
      const message = [noted, remark].filter((text) => text !== '').join('; ');
      const status = { ...rest, ...builtStatus(made), ...more, conditions: [succeeded('True', 'Completed', message)] };
      return write(build, pass, status, maker === 'registry' ? 'none' : maker);
    };
    if (ports.attest === undefined) return succeededWith({});
    await cap.leave(build, pass);
    const done = await attested(build, maker, made, ports.images, ports.attest, pass);
    return 'image' in done ? succeededWith({ latestAttestationImage: done.image }) : succeededWith({}, done.problem);
  };

  /** What can never run, or waits for people, holds no slot meanwhile: others could use it. */
  const withoutSlot = async <T>(build: Build, pass: Pass, step: () => Promise<T>): Promise<T> => {
    try {
      return await step();
    } catch (error) {
      const isOver = error instanceof PermanentError || (error instanceof ExpectedError && error.pace === 'slow');
      if (isOver) await cap.leave(build, pass);
      throw error;
    }
  };

  /** Everything the pod is made from. What is missing is declared and looked for once more, so that its arrival is not lost. */
  const gathered = async (build: Build, pass: Pass): Promise<PodContext> => {
    try {
      return await gather(build, ports, pass, pass.now);
    } catch (error) {
      if (!(error instanceof Waiting)) throw error;
      await pass.dependOn(dependenciesOf(build));
      return gather(build, ports, pass, pass.now);
    }
  };

  const { judge, refuse } = podJudge(ports, { gathered, withoutSlot });

  /** What a Build says that has said nothing yet comes with the first event of its pod, moments later: one write less. Or with none, soon. */
  const toldLater = async (pass: Pass): Promise<Outcome> => {
    await pass.dependOn([]);
    return again(firstWordSeconds, 'the pod was made');
  };

  /** Reports a pod that was just made. Should that fail because somebody wrote the Build, the pass ends all the same: its record has the pod. */
  const reportMade = async (build: Build, pass: Pass, memory: BuildMemory, pod: Pod): Promise<Outcome> => {
    try {
      return await report(build, pass, memory, pod);
    } catch (error) {
      if (!isKubeError(error, 'conflict')) throw error;
      return again(1, 'the pod was made, and somebody wrote the Build meanwhile');
    }
  };

  const create = async (
    build: Build,
    pass: Pass,
    memory: BuildMemory,
    context: PodContext,
    rebase: Notes,
  ): Promise<Outcome> => {
    const notes = { ...rebase, ...notesOf(memory) };
    const made = await withoutSlot(build, pass, async () => {
      const forms = podForms(withCacheOf(build, memory), context);
      const queued = await cap.enter(build, pass);
      return queued ?? createPod(forms, notes, pass.kube);
    });
    if (!('afterSeconds' in made)) {
      const known = { ...memory, pod: madePod(made), next: undefined, disrupted: undefined };
      pass.remember(memoryText(known));
      pass.saw({ ...made, kind: 'Pod' });
      const isUsual = Object.values(notes).every((note) => note === undefined);
      return pass.isFirst && isUntold(build) && isUsual ? toldLater(pass) : reportMade(build, pass, known, made);
    }
    await write(build, pass, { conditions: [succeeded('Unknown', 'Queued', made.message)] });
    return again(made.afterSeconds, 'the cap on running builds is reached');
  };

  const start = async (build: Build, pass: Pass, memory: BuildMemory): Promise<Outcome> => {
    refuseNotary(build);
    refuseEnvReferences(build.spec.env, 'spec.env');
    retryPolicyOf(build, ports.retries);
    const context = await withoutSlot(build, pass, () => gathered(build, pass));
    if (!isRebase(build, context.builder.stackId)) return create(build, pass, memory, context, {});
    if (memory.fromSource !== undefined) return create(build, pass, memory, { ...context, lastImageIsGone: true }, {});
    const made = await rebaseInRegistry(build, context, ports.images, {
      cluster: pass.cluster,
      kube: pass.kube,
      signal: rebaseSignal(pass),
      attempts: pass.attempts,
      now: pass.now,
    });
    if (!('podNeeded' in made)) return written(build, pass, made, { stepsCompleted: ['rebase'] }, 'registry');
    const { because, ...more } = made.podNeeded;
    const notes = more.lastImageIsGone === true ? { source: because } : { rebase: because };
    return create(build, pass, memory, { ...context, ...more }, notes);
  };

  /** Starts a Build of which nobody has heard: its pod is looked for only if there is one already, as after a crash. */
  const begin = async (build: Build, pass: Pass, memory: BuildMemory): Promise<Outcome | 'looked for'> => {
    if (isCancelled(build)) return 'looked for';
    try {
      return await start(build, pass, memory);
    } catch (error) {
      if (isKubeError(error, 'already-exists')) return 'looked for';
      throw error;
    }
  };

  /** The pod is gone, but it may have pushed the image before. Built anew it is only when somebody asks (spec 02 §10.1 S25). */
  const afterLoss = async (build: Build, pass: Pass, otherwise: Condition, pod: Pod | 'gone'): Promise<Outcome> => {
    const made = await resultAfterLoss(build, ports.images, pass);
    if (made !== undefined) return written(build, pass, made, {}, pod);
    return write(build, pass, { conditions: [otherwise] }, pod);
  };

  /** Stops the pod. What it pushed before counts: then the Build succeeded. */
  const cancel = async (build: Build, pass: Pass, memory: BuildMemory, pod: Pod | undefined): Promise<Outcome> => {
    let known: LogHolder = 'none';
    switch (cancelling(pod, pass.now)) {
      case 'delete':
        known = await logs.before(build, pod, pass);
        await pass.kube.delete(pod ?? {});
        break;
      case 'wait':
        break;
      case 'ended':
        if (pod !== undefined && disruptionOf(pod) !== undefined && !isBuilt(pod))
          return afterLoss(build, pass, cancelledEnd, pod);
        return report(build, pass, memory, pod ?? {});
      case 'gone':
        if (build.status?.stepsCompleted?.includes('export') === true)
          return afterLoss(build, pass, cancelledEnd, 'gone');
        return write(build, pass, { conditions: [cancelledEnd] }, 'gone');
    }
    const message = `pod ${pod?.metadata?.name ?? ''} is being stopped`;
    const conditions = [succeeded('Unknown', 'Cancelling', message)];
    await write(build, pass, { ...podStatus(pod ?? {}), conditions }, known);
    return again(cancelSeconds, message);
  };

  /** Kubernetes took the pod away: the Build gets another, unless the image is there already, or it had as many as it may have. */
  const takenAway = async (
    build: Build,
    pass: Pass,
    memory: BuildMemory,
    lost: Disruption,
    pod: Pod | 'gone',
  ): Promise<Outcome> => {
    const policy = retryPolicyOf(build, ports.retries);
    const tries = triesOf(memory, pod);
    const next = nextTry(tries, policy, lost);
    const { reason, words } = lost;
    if (next === undefined) {
      const ended = pod === 'gone' ? '' : await endedText(pod, pass.kube);
      const text = `${ended === '' ? words : ended}; ${triesText(tries, policy)}`;
      return afterLoss(build, pass, succeeded('False', reason, text), pod);
    }
    const made = await resultAfterLoss(build, ports.images, pass);
    if (made !== undefined) return written(build, pass, made, {}, pod);
    return another.after(build, pass, memory, { reason, because: words, tries: next }, pod);
  };

  /** Another pod that does less, at once. */
  const withLess = (build: Build, pass: Pass, memory: BuildMemory, retreat: Retreat, pod: Pod): Promise<Outcome> => {
    const tries = retreatingTry(triesOf(memory, pod));
    return another.after(build, pass, memory, { ...retreat, tries, retreat }, pod);
  };

  /** What can be said of a pod that has not done its work. */
  const reportUnbuilt = async (build: Build, pass: Pass, memory: BuildMemory, pod: Pod): Promise<Outcome> => {
    const lost = disruptionOf(pod);
    if (lost !== undefined && hasEnded(pod)) return takenAway(build, pass, memory, lost, pod);
    const known = await whyNotStarted(pod, pass.now, pass.kube);
    const tooLate = overdue(pod, pass.now, known?.condition);
    if (tooLate !== undefined) {
      const holder = await logs.before(build, pod, pass);
      await pass.kube.delete(pod);
      return write(build, pass, { ...podStatus(pod), conditions: [tooLate] }, holder);
    }
    const waitsInVain = retreatWaiting(build, pod, known, pass.now);
    if (waitsInVain !== undefined) return withLess(build, pass, memory, waitsInVain, pod);
    if (endedByDeletion(pod)) return afterLoss(build, pass, podDeleted(pod.metadata?.name ?? ''), pod);
    const { line, more } = await failedLog(pod, pass.kube);
    const retreat = hasFailed(pod) && lost === undefined ? retreatFrom(build, pod, failedStep(pod), line) : undefined;
    if (retreat !== undefined) {
      await giveUpCache(build, retreat, pass.kube);
      return withLess(build, pass, memory, retreat, pod);
    }
    const condition =
      lost === undefined
        ? (known?.condition ?? withNoteOf(pod, withMore(succeededFrom(pod, line), more)))
        : succeeded('Unknown', lost.reason, lost.words);
    const holder = condition.status === 'Unknown' ? 'none' : pod;
    const outcome = await write(build, pass, { ...podStatus(pod), conditions: [condition] }, holder);
    if (condition.status !== 'Unknown' || pod.status?.phase !== 'Pending') return outcome;
    return again(isStarting(pod) ? lookAgainAt(pod, pass.now) : pendingSeconds, 'the pod has not started');
  };

  const report = async (build: Build, pass: Pass, memory: BuildMemory, pod: Pod): Promise<Outcome> => {
    if (!isBuilt(pod)) return reportUnbuilt(build, pass, memory, pod);
    const made = await resultOf(build, pod, ports.images, pass);
    if (!('unknown' in made)) return written(build, pass, made, podStatus(pod), pod);
    const message = `the image was pushed, but neither the pod nor the registry says its digest: ${made.unknown}`;
    return write(build, pass, { ...podStatus(pod), conditions: [succeeded('False', 'ResultUnknown', message)] }, pod);
  };

  /** Reports a pod of which the record knows, its progress now and then. */
  const told = (build: Build, pass: Pass, memory: BuildMemory, pod: Pod): Promise<Outcome> => {
    const disrupted = isBuilt(pod) ? undefined : disruptionOf(pod);
    const isNew = disrupted?.reason !== memory.disrupted?.reason;
    const known = { ...memory, disrupted };
    if (isNew) pass.remember(memoryText(known));
    if (isNew || memory.pod === undefined || overdue(pod, pass.now) !== undefined || endedByDeletion(pod))
      return report(build, pass, known, pod);
    const waitSeconds = mayWaitSeconds(build, pod, memory.toldAt, pass.now);
    if (waitSeconds > 0) return Promise.resolve(again(waitSeconds, 'how far the build is was told a moment ago'));
    const next = { ...known, toldAt: Math.floor(pass.now.getTime() / 1000), node: pod.spec?.nodeName };
    pass.remember(memoryText(next));
    return report(build, pass, next, pod);
  };

  /** Ends a Build whose spec somebody changed, and the pod that was made before, if it has not ended by itself. */
  const endChanged = async (build: Build, pass: Pass, pod: Pod | undefined): Promise<Outcome> => {
    if (pod === undefined) return write(build, pass, { conditions: [specChanged] });
    const status = { ...podStatus(pod), conditions: [specChanged] };
    if (hasEnded(pod)) return write(build, pass, status, pod);
    const known = await logs.before(build, pod, pass);
    await pass.kube.delete(pod);
    return write(build, pass, status, known);
  };

  return {
    kind: 'Build',
    reconcile: async (stored, pass) => {
      const build = withBuildDefaults(stored);
      if (isFinished(build) && !logs.areMissing(build)) return settled;
      const memory = memoryOf(pass.memory, build);
      pass.remember(memoryText(memory));
      const key = { kind: 'Pod', namespace: build.metadata.namespace ?? '', name: buildPodName(build.metadata.name) };
      const begun = pass.isFirst && isUntold(build) ? await begin(build, pass, memory) : 'looked for';
      if (begun !== 'looked for') return begun;
      const pod = await pass.kube.get<Pod>(key);
      if (pod !== undefined) pass.saw({ ...pod, kind: 'Pod' });
      const known = pod !== undefined && whosePod(build, memory, pod) === 'ours' ? pod : undefined;
      if (isFinished(build)) return logs.archive(build, known, pass);
      if (isSpecChanged(memory, build)) return endChanged(build, pass, known);
      const waiting = isCancelled(build) ? undefined : another.waiting(build, memory, pod);
      if (waiting !== undefined) return another.whenDue(build, pass, waiting, pod, () => start(build, pass, waiting));
      if (pod === undefined) {
        if (isCancelled(build)) return cancel(build, pass, memory, undefined);
        const seen = memory.pod === undefined ? (build.status?.podName ?? '') : key.name;
        if (seen === '') return start(build, pass, memory);
        const lost =
          memory.disrupted ?? (await whyGone({ ...key, uid: memory.pod?.uid ?? '', node: memory.node }, pass.kube));
        return lost === undefined
          ? afterLoss(build, pass, podDeleted(seen), 'gone')
          : takenAway(build, pass, memory, lost, 'gone');
      }
      // A pod that is there is waited for no longer, though the pass that made it died before its record was written.
      const present = { ...memory, next: undefined };
      const whose = await judge(build, pass, present, pod);
      if (isCancelled(build)) return cancel(build, pass, present, whose === 'ours' ? pod : undefined);
      if (whose !== 'ours') return refuse(build, pass, memory, pod, whose.why);
      return told(build, pass, present, await patchedPod(pod, pass));
    },
    transition: buildTransition,
    statusOnFailure: statusAfter,
  };
};
