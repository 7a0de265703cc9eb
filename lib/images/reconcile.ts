/**
 * An Image is kept up to date by Builds: make its cache and its SourceResolver, and when both builder and source are known, ask
 * whether a Build is needed (spec 02 §3). Everything that changes while a Build runs waits until it has ended.
 */
import type { Build } from '../api/build.ts';
import { refuseEnvReferences } from '../api/build-env.ts';
import { withImageDefaults } from '../api/defaults.ts';
import type { Image } from '../api/image.ts';
import { sourceResolverName } from '../api/names.ts';
import type { SourceResolver } from '../api/source-resolver.ts';
import { ExpectedError, PermanentError } from '../errors/expected.ts';
import type { KubeClient } from '../kube/client.ts';
import { isKubeError } from '../kube/errors.ts';
import { isControlledBy, keyOf } from '../kube/object.ts';
import { bothDone } from '../reconcile/both-done.ts';
import { conditionOf } from '../reconcile/conditions.ts';
import { again, type Outcome, settled } from '../reconcile/outcome.ts';
import type { Pass, Reconciler } from '../reconcile/reconciler.ts';
import { buildRequired, disagreement, reasonsText } from './build-required.ts';
import { isRunning, surplusBuilds } from './builds-of-image.ts';
import { ensureCacheClaim, wantedClaim } from './cache-claim.ts';
import { defaultClass, withDefaultCache } from './default-cache.ts';
import { builderKey, type ImageBuilder, readyBuilder } from './image-builder.ts';
import { newBuild } from './new-build.ts';
import { lookAtPodSeconds, podLeft } from './pod-left.ts';
import { listBuilds, type ReadBuilds, readBuilds } from './read-builds.ts';
import { isPaused, pauseRemark } from './requests.ts';
import { readySource, sourceReadiness } from './resolved-source.ts';
import { mayWaitSeconds, toldNow } from './running-told.ts';
import { ensureSourceResolver } from './source-resolver.ts';
import { buildEnding, builderMissing, buildRunning, passFailed, podEnding, wholeStatus } from './status.ts';
import { imageTransition } from './transition.ts';

/** What the operator decides for all Images. */
export interface ImageOptions {
  /** Whether Builds get a priority class. */
  readonly priorityClasses: boolean;
}

/** Events wake us; this only bounds how long a lost one goes unnoticed (DESIGN §3.7). */
const unfinishedSeconds = 600;

/** An Image may come with years of Builds: a pass deletes as many as fit well into its time. */
const deletionsPerPass = 20;

/** POSTs a Build whose name says its number. One that exists and is ours was made by an earlier pass that died (DESIGN §3.9). */
const createBuild = async (kube: KubeClient, wanted: Build, image: Image): Promise<Build> => {
  try {
    return await kube.create(wanted);
  } catch (error) {
    if (!isKubeError(error, 'already-exists')) throw error;
    const exists = await kube.get<Build>(keyOf(wanted));
    if (exists !== undefined && isControlledBy(exists, image)) return exists;
    throw new ExpectedError(
      `Build ${wanted.metadata.name} exists but does not belong to this Image: it is waited for until it is gone`,
      { cause: error },
    );
  }
};

/** Whether no pass has told the user anything yet. */
const isUntold = ({ status }: Image): boolean => (status?.conditions ?? []).length === 0;

/** Whether it was there before the Image: then Builds may have been, too. */
const isOlder = (resolver: SourceResolver, image: Image): boolean =>
  (resolver.metadata.creationTimestamp ?? '') < (image.metadata.creationTimestamp ?? '');

/** The reconciler of kind Image. */
export const imageReconciler = (options: ImageOptions): Reconciler<Image> => {
  const hasDefaultClass = defaultClass();
  /** Everything after the builder is known to exist. A guess about the Builds that turns out wrong is made good by looking again. */
  const proceed = async (
    stored: Image,
    builder: ImageBuilder,
    { builds, guessed }: ReadBuilds,
    pass: Pass,
  ): Promise<Outcome> => {
    const { kube, now } = pass;
    const named = withImageDefaults(stored);
    pass.saw(...builds.all);
    const lookAgain = async (): Promise<Outcome> => proceed(stored, builder, await listBuilds(named, kube), pass);
    if (builds.last !== undefined && isRunning(builds.last)) {
      const seen = { running: builds.last, before: builds.all.at(-2) };
      const status = buildRunning(named, builder, seen, now);
      const waitSeconds = mayWaitSeconds(stored, status, builds.last, pass.memory, now);
      if (waitSeconds > 0) return again(waitSeconds, 'how far the Build is was told a moment ago');
      if ((await pass.writeStatus(stored, status)) !== stored) pass.remember(toldNow(builds.last, now));
      return again(unfinishedSeconds, `Build ${builds.last.metadata.name} is running`);
    }

    if (builds.ending !== undefined) {
      await pass.writeStatus(stored, buildEnding(named, builder, builds.ending, now));
      return again(unfinishedSeconds, `Build ${builds.ending.metadata.name} is being deleted`);
    }

    const image = await withDefaultCache(named, pass, hasDefaultClass);
    const { name: claimName, trouble } = await ensureCacheClaim(image, pass, {
      keepsSize: stored.spec.cache === undefined,
    });
    const { resolver, made, stored: resolverStored } = await ensureSourceResolver(image, pass);
    if (guessed && isOlder(resolver, image)) return lookAgain();
    const ready = readyBuilder(builder);
    const source = readySource(resolver);
    const sawResolver = async (): Promise<void> => pass.saw(resolver, await resolverStored);
    // What could be said now is over in a moment: the resolver's answer, good or bad, wakes us.
    if (source === undefined && guessed && made && isUntold(image) && ready !== undefined) {
      await sawResolver();
      return again(unfinishedSeconds, 'the source is being resolved');
    }
    const seen = {
      image,
      builder,
      last: builds.last,
      resolverName: sourceResolverName(image.metadata.name),
      sourceReady: sourceReadiness(resolver),
      resolverMessage: conditionOf(resolver, 'Ready')?.message ?? '',
      claimName,
      cacheTrouble: trouble,
      remark: ready === undefined ? '' : disagreement({ builds, builder: ready }),
      now,
    };
    if (ready === undefined || source === undefined) {
      await sawResolver();
      await pass.writeStatus(stored, wholeStatus(seen));
      return again(unfinishedSeconds, 'builder or source are not ready');
    }

    const inputs = { image, builds, builder: ready, source, now };
    const changes = buildRequired(inputs);
    const held = pauseRemark(image, reasonsText(changes));
    const make = async (): Promise<Build | 'look again' | { readonly podLeft: string } | undefined> => {
      if (guessed && isPaused(image)) return 'look again';
      if (changes.length === 0 || held !== '') return undefined;
      const left = await podLeft(image, builds, kube);
      if (left !== undefined) return { podLeft: left };
      const wanted = newBuild(inputs, changes, { claimName, ...options });
      try {
        const build = await (guessed ? kube.create(wanted) : createBuild(kube, wanted, image));
        pass.saw(build);
        await pass.handOver({ ...build, kind: 'Build' });
        return build;
      } catch (error) {
        if (guessed && isKubeError(error, 'already-exists')) return 'look again';
        throw error;
      }
    };
    const [created] = await bothDone(make(), sawResolver());
    if (created === 'look again') return lookAgain();
    if (created !== undefined && 'podLeft' in created) {
      await pass.writeStatus(stored, podEnding(image, builder, created.podLeft, now));
      return again(lookAtPodSeconds, `pod ${created.podLeft} has not ended`);
    }
    const isHeld = held !== '' && changes.length > 0;
    const remark = [seen.remark, held].filter((text) => text !== '').join('; ');
    await pass.writeStatus(stored, wholeStatus({ ...seen, created, remark, isHeld }));
    const surplus = surplusBuilds(builds, image.spec);
    for (const build of surplus.slice(0, deletionsPerPass)) await kube.delete(build);
    if (surplus.length > deletionsPerPass) return again(1, 'more Builds than the history limits allow');
    return created === undefined ? settled : again(unfinishedSeconds, `Build ${created.metadata.name} was made`);
  };

  return {
    kind: 'Image',

    reconcile: async (stored, pass) => {
      const image = withImageDefaults(stored);
      refuseEnvReferences(image.spec.build?.env, 'spec.build.env');
      const key = builderKey(image);
      await pass.dependOn([key]);
      const builder = await pass.kube.get<ImageBuilder>(key);
      if (builder === undefined) {
        await pass.writeStatus(stored, builderMissing(image, pass.now));
        return settled;
      }
      return proceed(stored, builder, await readBuilds(image, pass.kube, pass.now), pass);
    },

    transition: imageTransition,

    statusOnFailure: (image, failure, now) =>
      passFailed(
        image,
        wantedClaim(image)?.metadata?.name ?? '',
        failure instanceof PermanentError
          ? ['False', failure.reason === '' ? 'Invalid' : failure.reason, failure.message]
          : ['Unknown', 'Retrying', failure.message],
        now,
      ),
  };
};
