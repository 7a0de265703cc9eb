/** Small questions about a Build that several containers ask (spec 03 §7). */
import type { Build } from '../../api/build.ts';
import { PermanentError } from '../../errors/expected.ts';
import type { PodContext } from './context.ts';

/** The tag that names the image; the others follow it. Admission sees to it that there is one. */
export const firstTag = (build: Build): string => {
  const tag = build.spec.tags[0];
  if (tag === undefined) throw new PermanentError('', 'spec.tags is empty: name at least one tag to push the image to');
  return tag;
};

/** Tags after the first. */
export const otherTags = (build: Build): readonly string[] => build.spec.tags.slice(1);

/** An annotation of the Build, empty when absent. */
export const annotation = (build: Build, key: string): string => build.metadata.annotations?.[key] ?? '';

/** The Build's run image, else the builder's. */
export const runImage = (build: Build, { builder }: PodContext): string =>
  build.spec.runImage?.image || builder.runImage;

/** Pull secrets of the account, then of the builder. */
export const pullSecretNames = (build: Build, { pullSecrets }: PodContext): readonly string[] => [
  ...pullSecrets,
  ...builderPullSecrets(build),
];

/** Names of the Build's own builder pull secrets. */
export const builderPullSecrets = (build: Build): readonly string[] =>
  (build.spec.builder.imagePullSecrets ?? []).flatMap(({ name }) => (name === undefined || name === '' ? [] : [name]));

const twoDigits = (value: number): string => String(value).padStart(2, '0');

/** `YYYYMMDD.HHMMSS` in UTC. */
const compactTime = (date: Date): string =>
  `${date.getUTCFullYear()}${twoDigits(date.getUTCMonth() + 1)}${twoDigits(date.getUTCDate())}.${twoDigits(
    date.getUTCHours(),
  )}${twoDigits(date.getUTCMinutes())}${twoDigits(date.getUTCSeconds())}`;

/** When the Build was created, as its signature says it. */
export const buildTimestamp = (build: Build, now: Date): string => {
  const created = build.metadata.creationTimestamp;
  return compactTime(created === undefined || created === null ? now : new Date(created));
};

const parseUnixSeconds = (text: string): string => {
  const refuse = (why: string): never => {
    throw new PermanentError(
      '',
      `parsing creation time ${text}: parsing unix timestamp: strconv.ParseInt: parsing ${JSON.stringify(text)}: ${why}`,
    );
  };
  if (!/^[+-]?\d+$/.test(text)) return refuse('invalid syntax');
  if (text.length > 40) return refuse('value out of range');
  const seconds = BigInt(text.replace(/^\+/, ''));
  return seconds === BigInt.asIntN(64, seconds) ? seconds.toString() : refuse('value out of range');
};

/**
 * Seconds since the epoch that the image says it was created at: `now` or a unix timestamp; undefined leaves the lifecycle's
 * own constant (spec 03 §7). Throws PermanentError for anything else.
 */
export const sourceDateEpoch = (build: Build, now: Date): string | undefined => {
  const wanted = build.spec.creationTime ?? '';
  if (wanted === '') return undefined;
  return wanted === 'now' ? String(Math.floor(now.getTime() / 1000)) : parseUnixSeconds(wanted);
};
