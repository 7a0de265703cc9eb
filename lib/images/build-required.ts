/**
 * Whether an Image needs a Build, and why (spec 02 §4). Each reason is one rule; the order is fixed. Where DESIGN §4 differs from
 * kpack: what the builder offers is compared with the last *successful* Build, a failed Build is repeated when the builder it was
 * made with was replaced, and nothing is built twice from one builder image because its labels disagree with its programs.
 */
import type { Build } from '../api/build.ts';
import type { Image } from '../api/image.ts';
import { leftWithBuilderAnnotation, reasonAnnotation } from '../api/labels.ts';
import type { BuildReason } from '../api/reasons.ts';
import type { ResolvedSourceConfig } from '../api/source-config.ts';
import { identifierOf, parseReference } from '../oci/reference.ts';
import { bytewise } from '../text/bytewise.ts';
import { type GoJson, goJson } from '../text/go-json.ts';
import { configJson, configOfBuild, configOfImage, sameConfig, withoutRevision } from './build-config.ts';
import { type ImageBuilds, isFailure } from './builds-of-image.ts';
import type { ReadyBuilder } from './image-builder.ts';
import { isAskedFor } from './requests.ts';
import { sourceOf } from './resolved-source.ts';

/** One reason with what changed, as the buildChanges annotation tells it. */
export interface BuildChange {
  readonly reason: BuildReason;
  readonly old: GoJson;
  readonly new: GoJson;
}

/** Everything the decision looks at. */
export interface BuildInputs {
  readonly image: Image;
  readonly builds: ImageBuilds;
  readonly builder: ReadyBuilder;
  readonly source: ResolvedSourceConfig;
  readonly now: Date;
}

type Rule = (inputs: BuildInputs) => BuildChange | undefined;

const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;

/** RFC 1123 with a numeric zone, in UTC: `Wed, 17 Jun 2026 12:48:23 +0000`. */
const rfc1123 = (now: Date): string => {
  const [, day, month, year, time] = now.toUTCString().split(' ');
  return `${weekdays[now.getUTCDay()] ?? ''}, ${day} ${month} ${year} ${time} +0000`;
};

const triggered: Rule = ({ image, builds: { last }, now }) =>
  isAskedFor(image, last)
    ? { reason: 'TRIGGER', old: '', new: `A new build was manually triggered on ${rfc1123(now)}` }
    : undefined;

/** The builder image that a Build's result stands for: its own, or a later one with which kpack left a failure as it was (docs/migration.md). */
const triedBuilder = ({ metadata, spec }: Build): string | undefined =>
  metadata.annotations?.[leftWithBuilderAnnotation] ?? spec.builder.image;

/** Whether the last Build failed on another builder image than there is now: the one failure that is worth repeating by itself. */
const failedOnOldBuilder = ({ builds: { last }, builder }: BuildInputs): boolean =>
  last !== undefined && isFailure(last) && triedBuilder(last) !== builder.image;

/**
 * The Build whose source and configuration are compared with what is wanted: the last one, whatever became of it. When a failure is
 * repeated it is the last success instead: what the failed one was made for is still to be built, and must not be taken for a
 * mere rebase of the old image.
 */
const made = (inputs: BuildInputs): Build | undefined =>
  failedOnOldBuilder(inputs) ? inputs.builds.lastSuccess : inputs.builds.last;

const commitMoved: Rule = (inputs) => {
  const { source } = inputs;
  const [before, after] = [made(inputs)?.spec.source.git?.revision, source.git?.revision];
  return before === undefined || after === undefined || before === after
    ? undefined
    : { reason: 'COMMIT', old: before, new: after };
};

const configChanged: Rule = (inputs) => {
  const before = configOfBuild(made(inputs));
  const after = configOfImage(inputs.image, sourceOf(inputs.source));
  return sameConfig(withoutRevision(before), withoutRevision(after))
    ? undefined
    : { reason: 'CONFIG', old: configJson(before), new: configJson(after) };
};

/**
 * The Build whose ingredients are compared with the builder: the last success, as long as the builder is not the very image that
 * the last Build already tried. Trying it again would give the same result, good or bad (02#S18).
 */
const comparable = ({ builds: { last, lastSuccess }, builder }: BuildInputs): Build | undefined =>
  last !== undefined && triedBuilder(last) === builder.image ? undefined : lastSuccess;

const buildpacksChanged: Rule = (inputs) => {
  const keyOf = ({ id, version }: { readonly id: string; readonly version: string }): string =>
    JSON.stringify([id, version]);
  const offered = new Set((inputs.builder.status.builderMetadata ?? []).map(keyOf));
  const missing = (comparable(inputs)?.status?.buildMetadata ?? []).filter((used) => !offered.has(keyOf(used)));
  if (missing.length === 0) return undefined;
  const old = missing
    .toSorted((a, b) => bytewise(a.id, b.id))
    .map(({ id, version }) => ({ id, ...(version === '' ? {} : { version }) }));
  return { reason: 'BUILDPACK', old, new: null };
};

/** Digest, else tag: registry and repository do not count. @throws PermanentError when it is no reference */
const identifier = (reference: string): string => identifierOf(parseReference(reference));

const runImageChanged: Rule = (inputs) => {
  const build = comparable(inputs);
  const before = build?.status?.stack?.runImage ?? '';
  // An image without the label that names its run image cannot be compared; kpack fails every pass from then on (02#S19).
  if (before === '' || inputs.builder.runImage === '') return undefined;
  const [old, wanted] = [identifier(before), identifier(inputs.builder.runImage)];
  // Of an index, an image names the manifest of its platform: then what the Build was told to use decides.
  const told = build?.spec.runImage?.image ?? '';
  const same = old === wanted || (told !== '' && identifier(told) === wanted);
  return same ? undefined : { reason: 'STACK', old, new: wanted };
};

const lifecycleChanged: Rule = (inputs) => {
  const build = comparable(inputs);
  const [old, wanted] = [build?.status?.lifecycleVersion ?? '', inputs.builder.status.lifecycle?.version ?? ''];
  return build === undefined || old === wanted ? undefined : { reason: 'LIFECYCLE', old, new: wanted };
};

const rules: readonly Rule[] = [
  triggered,
  commitMoved,
  configChanged,
  buildpacksChanged,
  runImageChanged,
  lifecycleChanged,
];

/** The builder image is another one, though nothing that can be named changed. */
const builderReplaced: BuildChange = { reason: 'BUILDPACK', old: null, new: null };

/** Whether the failed Build was itself a rebase of the last success, so that repeating it may be one too. */
const wasRebase = ({ builds: { last, lastSuccess } }: BuildInputs): boolean =>
  last?.metadata.annotations?.[reasonAnnotation] === 'STACK' &&
  last.spec.lastBuild?.image !== undefined &&
  last.spec.lastBuild.image === lastSuccess?.status?.latestImage;

/** Every reason that holds, in kpack's order; none means that nothing is to be built. */
export const buildRequired = (inputs: BuildInputs): readonly BuildChange[] => {
  const changes = rules.map((rule) => rule(inputs)).filter((change) => change !== undefined);
  if (!failedOnOldBuilder(inputs)) return changes;
  const stackOnly = changes.every(({ reason }) => reason === 'STACK');
  return stackOnly && !(changes.length > 0 && wasRebase(inputs)) ? [builderReplaced, ...changes] : changes;
};

/** The reasons as in the annotation: joined by commas. */
export const reasonsText = (changes: readonly BuildChange[]): string => changes.map(({ reason }) => reason).join(',');

/**
 * Longest annotation, bytes. All annotations of an object may have 256 KiB, and the pod hands this one to a step as a variable, which Linux
 * refuses from 128 KiB on.
 */
export const longestChanges = 100_000;

/** The changes as in the annotation (spec 02 §4.3). What is too long is left out; the reasons stay. */
export const changesText = (changes: readonly BuildChange[]): string => {
  const whole = goJson(changes.map((change) => ({ reason: change.reason, old: change.old, new: change.new })));
  if (Buffer.byteLength(whole) <= longestChanges) return whole;
  return goJson(changes.map(({ reason }) => ({ reason, old: null, new: null })));
};

/** The sentence for a builder whose lifecycle's label and programs disagree: built once, and not again (DESIGN §4). Empty when they agree. */
export const disagreement = ({
  builds: { last, lastSuccess },
  builder,
}: Pick<BuildInputs, 'builds' | 'builder'>): string => {
  const [built, offered] = [lastSuccess?.status?.lifecycleVersion ?? '', builder.status.lifecycle?.version ?? ''];
  const tried = last !== undefined && last === lastSuccess && last.spec.builder.image === builder.image;
  return tried && built !== offered
    ? `The builder's lifecycle says it is version ${offered || 'unknown'}, but the image it built says ${built || 'unknown'}; it is not rebuilt for that.`
    : '';
};
