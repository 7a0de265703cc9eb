/** What an Image's status says (spec 02 §3.4, §3.5). Each function answers for one situation and is pure. */
import type { Build } from '../api/build.ts';
import type { Condition, ConditionStatus } from '../api/condition.ts';
import type { Image, ImageStatus } from '../api/image.ts';
import { imageGenerationLabel, reasonAnnotation } from '../api/labels.ts';
import { condition, conditionOf, isTrue, withTransitionTimes } from '../reconcile/conditions.ts';
import { isFailure, isSuccess, numberOf } from './builds-of-image.ts';
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

const observed = (image: Image): Pick<ImageStatus, 'observedGeneration'> =>
  image.metadata.generation === undefined ? {} : { observedGeneration: image.metadata.generation };

/** Row 0: there is no such builder. Everything else the status says is kept. */
export const builderMissing = (image: Image, now: Date): ImageStatus => {
  const { name, namespace = '' } = image.spec.builder;
  const text = `Error: Unable to find builder '${name}' in namespace '${namespace}'.`;
  return {
    ...image.status,
    ...observed(image),
    conditions: conditionsFor(image, [condition('Ready', 'False', 'BuilderNotFound', text)], now),
  };
};

/** Row 1: the last Build has not ended. Only conditions change. */
export const buildRunning = (image: Image, builder: ImageBuilder, build: Build, now: Date): ImageStatus => {
  const succeeded = conditionOf(build, 'Succeeded');
  const text = succeeded === undefined ? `Build '${build.metadata.name}' is executing` : (succeeded.message ?? '');
  const wanted = [
    condition('Ready', 'Unknown', 'BuildRunning', text),
    ...builderConditions(builder, readyBuilder(builder) !== undefined),
  ];
  return { ...image.status, ...observed(image), conditions: conditionsFor(image, wanted, now) };
};

/** What is known after looking at everything. */
export interface Seen {
  readonly image: Image;
  readonly builder: ImageBuilder;
  /** The Build made in this pass. */
  readonly created?: Build | undefined;
  readonly last: Build | undefined;
  readonly resolverName: string;
  readonly resolverReady: boolean;
  /** Why the resolver is not ready, in its own words; may be empty. */
  readonly resolverMessage: string;
  readonly claimName: string;
  /** Something to know though the Image is up to date; may be empty. */
  readonly remark: string;
  readonly now: Date;
}

const withMessage = (text: string, message: string): string => (message === '' ? text : `${text}; Message: ${message}`);

const readyOf = (seen: Seen, isReady: boolean): Ready => {
  const { builder, created, last, image } = seen;
  if (created !== undefined) return ['Unknown', 'BuildRunning', `Build '${created.metadata.name}' is executing`];
  if (!isReady) return ['False', 'BuilderNotReady', notReadyMessage(builder)];
  if (!seen.resolverReady)
    return [
      'Unknown',
      'ResolverNotReady',
      withMessage(`Error: SourceResolver '${seen.resolverName}' is not ready`, seen.resolverMessage),
    ];
  const said = conditionOf(last, 'Succeeded');
  if (last !== undefined && isFailure(last))
    return [
      said?.status ?? 'False',
      'BuildFailed',
      `Error: Build '${last.metadata.name}' in namespace '${image.metadata.namespace ?? ''}' failed: ${said?.message ?? ''}`,
    ];
  if (last !== undefined && isTrue(last, 'Succeeded')) return ['True', 'UpToDate', said?.message ?? seen.remark];
  return ['Unknown', 'UnknownState', 'Error: Build status unknown'];
};

const generationOf = (build: Build | undefined): number => {
  const label = build?.metadata.labels?.[imageGenerationLabel] ?? '';
  return /^\d{1,15}$/.test(label) ? Number(label) : 0;
};

/** Leaves out what is empty or zero. */
const nonEmpty = (fields: Readonly<Record<string, string | number | undefined>>): Partial<ImageStatus> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== '' && value !== 0));

/** Rows 2 to 6: the whole status. `buildCounter` never goes down, so that numbers never come again (DESIGN §4). */
export const wholeStatus = (seen: Seen): ImageStatus => {
  const { image, created, last, builder } = seen;
  const isReady = created !== undefined || readyBuilder(builder) !== undefined;
  const latest = created ?? last;
  const succeeded = last !== undefined && isSuccess(last);
  return {
    ...observed(image),
    conditions: conditionsFor(
      image,
      [condition('Ready', ...readyOf(seen, isReady)), ...builderConditions(builder, isReady)],
      seen.now,
    ),
    ...nonEmpty({
      latestBuildRef: latest?.metadata.name,
      latestBuildReason: latest?.metadata.annotations?.[reasonAnnotation],
      latestBuildImageGeneration: generationOf(latest),
      latestImage: (succeeded ? last.status?.latestImage : undefined) ?? image.status?.latestImage,
      latestStack: created === undefined && succeeded ? last.status?.stack?.id : undefined,
      buildCounter: Math.max(image.status?.buildCounter ?? 0, latest === undefined ? 0 : (numberOf(latest) ?? 0)),
      buildCacheName: seen.claimName,
    }),
  };
};

/** A pass that could not be finished: Ready says why, and everything that was known before is kept. */
export const passFailed = (image: Image, [status, reason, message]: Ready, now: Date): ImageStatus => {
  const before = image.status?.conditions ?? [];
  const ready = condition('Ready', status, reason, message);
  return {
    ...image.status,
    conditions: conditionsFor(image, [ready, ...before.filter(({ type }) => type !== 'Ready')], now),
  };
};
