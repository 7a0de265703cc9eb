/** What an Image's status says (spec 02 §3.4, §3.5). Each function answers for one situation and is pure. */
import type { Build } from '../api/build.ts';
import type { Condition, ConditionStatus } from '../api/condition.ts';
import type { Image, ImageStatus } from '../api/image.ts';
import { imageGenerationLabel, reasonAnnotation } from '../api/labels.ts';
import type { ConditionType } from '../api/reasons.ts';
import { condition, conditionOf, isTrue, withTransitionTimes } from '../reconcile/conditions.ts';
import { isFailure, isSuccess, numberOf } from './builds-of-image.ts';
import type { CacheTrouble } from './cache-claim.ts';
import { type ImageBuilder, isUpToDate, notReadyMessage, readyBuilder } from './image-builder.ts';

/** Ready, and the two about the builder. */
type Ready = readonly [status: ConditionStatus, reason: string, message: string];

const notUpToDate = 'Builder is not up to date. The latest stack and buildpacks may not be in use.';

const builderConditions = (builder: ImageBuilder, isReady: boolean): readonly Condition[] => [
  isReady
    ? condition('BuilderReady', 'True', 'BuilderReady')
    : condition('BuilderReady', 'False', 'BuilderNotReady', notReadyMessage(builder)),
  isUpToDate(builder)
    ? condition('BuilderUpToDate', 'True', 'BuilderUpToDate')
    : condition('BuilderUpToDate', 'False', 'BuilderNotUpToDate', notUpToDate),
];

const conditionsFor = (image: Image, wanted: readonly Condition[], now: Date): readonly Condition[] =>
  withTransitionTimes(wanted, image.status?.conditions, now);

const cacheReady = 'CacheReady' satisfies ConditionType;

/** What is wrong with the cache; nothing is said of one that is as it was asked for. */
const cacheCondition = (trouble: CacheTrouble | undefined): readonly Condition[] =>
  trouble === undefined ? [] : [condition(cacheReady, 'False', trouble.reason, trouble.message)];

/** The same as it was said before, where the claim was not looked at. */
const saidOfCache = ({ status }: Image): readonly Condition[] =>
  (status?.conditions ?? []).filter(({ type }) => type === cacheReady);

const observed = (image: Image): Pick<ImageStatus, 'observedGeneration'> =>
  image.metadata.generation === undefined ? {} : { observedGeneration: image.metadata.generation };

/** Row 0: there is no such builder. Everything else the status says is kept. */
export const builderMissing = (image: Image, now: Date): ImageStatus => {
  const { name, namespace = '' } = image.spec.builder;
  const text = `Error: Unable to find builder '${name}' in namespace '${namespace}'.`;
  return {
    ...image.status,
    ...observed(image),
    conditions: conditionsFor(
      image,
      [condition('Ready', 'False', 'BuilderNotFound', text), ...saidOfCache(image)],
      now,
    ),
  };
};

/** What is known after looking at everything. */
export interface Seen {
  readonly image: Image;
  readonly builder: ImageBuilder;
  /** The Build made in this pass. */
  readonly created?: Build | undefined;
  readonly last: Build | undefined;
  readonly resolverName: string;
  /** Whether it gave a source to build from. */
  readonly sourceReady: ConditionStatus;
  /** Why the resolver is not ready, in its own words; may be empty. */
  readonly resolverMessage: string;
  readonly claimName: string;
  /** What is wrong with the cache. */
  readonly cacheTrouble?: CacheTrouble | undefined;
  /** Something to know though nothing is built; may be empty. */
  readonly remark: string;
  /** A Build is due and not made, because Builds are paused; `remark` says so. */
  readonly isHeld?: boolean;
  readonly now: Date;
}

const withMessage = (text: string, message: string): string => (message === '' ? text : `${text}; Message: ${message}`);

const joined = (...texts: readonly string[]): string => texts.filter((text) => text !== '').join('; ');

const readyOf = (seen: Seen, isReady: boolean): Ready => {
  const { builder, created, last, image } = seen;
  if (created !== undefined) return ['Unknown', 'BuildRunning', `Build '${created.metadata.name}' is executing`];
  if (!isReady) return ['False', 'BuilderNotReady', notReadyMessage(builder)];
  if (seen.sourceReady !== 'True')
    return [
      seen.sourceReady,
      'ResolverNotReady',
      withMessage(`Error: SourceResolver '${seen.resolverName}' is not ready`, seen.resolverMessage),
    ];
  const said = conditionOf(last, 'Succeeded');
  if (last !== undefined && isFailure(last))
    return [
      said?.status ?? 'False',
      'BuildFailed',
      joined(
        `Error: Build '${last.metadata.name}' in namespace '${image.metadata.namespace ?? ''}' failed: ${said?.message ?? ''}`,
        seen.remark,
      ),
    ];
  if (last !== undefined && isTrue(last, 'Succeeded'))
    return ['True', seen.isHeld === true ? 'Paused' : 'UpToDate', joined(said?.message ?? '', seen.remark)];
  if (seen.isHeld === true) return ['Unknown', 'Paused', seen.remark];
  return ['Unknown', 'UnknownState', 'Error: Build status unknown'];
};

const generationOf = (build: Build | undefined): number => {
  const label = build?.metadata.labels?.[imageGenerationLabel] ?? '';
  return /^\d{1,15}$/.test(label) ? Number(label) : 0;
};

/** Leaves out what is empty or zero. */
const nonEmpty = (fields: Readonly<Record<string, string | number | undefined>>): Partial<ImageStatus> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== '' && value !== 0));

/** What the status says of the newest Build and the one before it. `buildCounter` never goes down: numbers do not come again (DESIGN §4). */
const latest = (image: Image, newest: Build | undefined, ended: Build | undefined, claimName: string) =>
  nonEmpty({
    latestBuildRef: newest?.metadata.name,
    latestBuildReason: newest?.metadata.annotations?.[reasonAnnotation],
    latestBuildImageGeneration: generationOf(newest),
    latestImage:
      (ended !== undefined && isSuccess(ended) ? ended.status?.latestImage : undefined) ?? image.status?.latestImage,
    latestStack: newest !== undefined && newest === ended && isSuccess(newest) ? newest.status?.stack?.id : undefined,
    buildCounter: Math.max(image.status?.buildCounter ?? 0, newest === undefined ? 0 : (numberOf(newest) ?? 0)),
    buildCacheName: claimName,
  });

/**
 * Row 1: the last Build has not ended. Only conditions change, unless the status does not know that Build: then the pass that made it
 * died before it could say so, and what it would have said is said now.
 */
export const buildRunning = (
  image: Image,
  builder: ImageBuilder,
  { running, before }: { readonly running: Build; readonly before: Build | undefined },
  now: Date,
): ImageStatus => {
  const succeeded = conditionOf(running, 'Succeeded');
  const text = succeeded === undefined ? `Build '${running.metadata.name}' is executing` : (succeeded.message ?? '');
  const wanted = [
    condition('Ready', 'Unknown', 'BuildRunning', text),
    ...builderConditions(builder, readyBuilder(builder) !== undefined),
    ...saidOfCache(image),
  ];
  const claimName = running.spec.cache?.volume?.persistentVolumeClaimName ?? image.status?.buildCacheName ?? '';
  const known = image.status?.latestBuildRef === running.metadata.name;
  return {
    ...(known ? image.status : latest(image, running, before, claimName)),
    ...observed(image),
    conditions: conditionsFor(image, wanted, now),
  };
};

/** A Build that is being deleted has not ended: until it is gone no other is started, as one Image never has two pods at once. */
export const buildEnding = (image: Image, builder: ImageBuilder, ending: Build, now: Date): ImageStatus => {
  const { name, finalizers = [] } = ending.metadata;
  const holders = finalizers.length === 0 ? '' : `; it is held by ${finalizers.join(', ')}`;
  const text = `Build '${name}' is being deleted, and no other is started until it is gone${holders}`;
  return stillRunning(image, builder, text, now);
};

/** Its pod outlives a Build by a grace period: as `buildEnding`. */
export const podEnding = (image: Image, builder: ImageBuilder, pod: string, now: Date): ImageStatus => {
  const text = `Pod '${pod}' of a Build that was deleted still runs, and no other Build is started until it has ended`;
  return stillRunning(image, builder, text, now);
};

/** Everything is kept, but that something of an earlier Build is waited for. */
const stillRunning = (image: Image, builder: ImageBuilder, text: string, now: Date): ImageStatus => {
  const wanted = [
    condition('Ready', 'Unknown', 'BuildRunning', text),
    ...builderConditions(builder, readyBuilder(builder) !== undefined),
    ...saidOfCache(image),
  ];
  return { ...image.status, ...observed(image), conditions: conditionsFor(image, wanted, now) };
};

/** Rows 2 to 6: the whole status. */
export const wholeStatus = (seen: Seen): ImageStatus => {
  const { image, created, last, builder } = seen;
  const isReady = created !== undefined || readyBuilder(builder) !== undefined;
  return {
    ...observed(image),
    conditions: conditionsFor(
      image,
      [
        condition('Ready', ...readyOf(seen, isReady)),
        ...builderConditions(builder, isReady),
        ...cacheCondition(seen.cacheTrouble),
      ],
      seen.now,
    ),
    ...latest(image, created ?? last, last, seen.claimName),
  };
};

/**
 * A pass that could not be finished: Ready says why, and everything that was known before is kept. A spec that can never work counts
 * as observed. The claim is noted although it may not exist yet, so that it is looked for when it is no longer wanted.
 */
export const passFailed = (
  image: Image,
  claimName: string,
  [status, reason, message]: Ready,
  now: Date,
): ImageStatus => {
  const before = image.status?.conditions ?? [];
  const ready = condition('Ready', status, reason, message);
  return {
    ...image.status,
    ...(status === 'False' ? observed(image) : {}),
    ...nonEmpty({ buildCacheName: claimName === '' ? image.status?.buildCacheName : claimName }),
    conditions: conditionsFor(image, [ready, ...before.filter(({ type }) => type !== 'Ready')], now),
  };
};
