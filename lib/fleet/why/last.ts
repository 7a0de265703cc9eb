/** What happened last to an object, in sentences. Pure. */
import type { Condition } from '../../api/condition.ts';
import { showKey } from '../../kube/object.ts';
import { showSpan, showTime } from '../../text/span.ts';
import type { Facts, PassTold, Seen } from './facts.ts';

/** The condition that says whether an object is as it should be. */
export const happyType = (kind: string): 'Ready' | 'Succeeded' => (kind === 'Build' ? 'Succeeded' : 'Ready');

/** What a condition says, and since when. `now` in Unix seconds. */
export const sayCondition = ({ type, status, reason, message, lastTransitionTime }: Condition, now: number): string => {
  const at = lastTransitionTime ? Date.parse(lastTransitionTime) / 1000 : Number.NaN;
  const since = Number.isNaN(at) ? '' : ` for ${showSpan(now - at)}`;
  const because = [reason, message].filter((part) => part !== undefined && part !== '').join(': ');
  return `${type} is ${status}${since}${because === '' ? '' : ` (${because})`}`;
};

const isChanged = ({ metadata, status }: Seen): boolean =>
  status?.observedGeneration !== undefined && (metadata?.generation ?? 0) > status.observedGeneration;

const objectSentences = ({ target, look, now }: Facts): readonly string[] => {
  if ('unknown' in look) return look.unknown === '' ? [] : [`Its conditions are not known: ${look.unknown}.`];
  if ('absent' in look) return [`There is no ${showKey(target)} in cluster ${target.cluster}.`];
  const { object } = look;
  const conditions = object.status?.conditions ?? [];
  const happy = conditions.filter(({ type }) => type === happyType(target.kind));
  const unhappy = conditions.filter((one) => !happy.includes(one) && one.status !== 'True');
  return [
    ...(object.metadata?.deletionTimestamp ? [`It is being deleted since ${object.metadata.deletionTimestamp}.`] : []),
    ...(conditions.length === 0 ? ['It has no conditions yet.'] : []),
    ...[...happy, ...unhappy].map((one) => `${sayCondition(one, now)}.`),
    ...(isChanged(object) ? ['Its spec was changed after that was written.'] : []),
  ];
};

const recordSentences = ({ record, now }: Facts): readonly string[] => {
  if (record === undefined) return ['No pass has recorded anything of it.'];
  const { attempts, failingSince, goneAt, unregisteredAt } = record;
  if (unregisteredAt !== undefined)
    return [`Passes have found its cluster not registered for ${showSpan(now - unregisteredAt)}.`];
  if (goneAt !== undefined) return [`The API server said ${showSpan(now - goneAt)} ago that there is no such object.`];
  if (attempts === 0) return ['The last pass of it ended without a failure.'];
  const since = failingSince === undefined ? '' : `, since ${showTime(failingSince)} (${showSpan(now - failingSince)})`;
  return [attempts === 1 ? `The last pass failed${since}.` : `The last ${attempts} passes failed${since}.`];
};

const pollSentences = ({ poll, now }: Facts): readonly string[] => {
  if (poll === undefined) return [];
  const { askedAt, failure, attempts, hookedAt, isUnheard } = poll.row;
  return [
    askedAt === undefined
      ? 'Its repository was not asked yet.'
      : `Its repository was last asked ${showSpan(now - askedAt)} ago${attempts > 0 ? `, and has failed ${attempts} times in a row (${failure ?? 'no word why'})` : ''}.`,
    ...(hookedAt === undefined ? [] : [`A push hook last asked for that ${showSpan(now - hookedAt)} ago.`]),
    ...(isUnheard ? ['Push hooks do not wake it: its namespace has too many polls of this repository.'] : []),
  ];
};

const passLine = ({ at, what, result, why, ms }: PassTold): string =>
  `${at} ${what}${result === undefined ? '' : `: ${result}`}${ms === undefined ? '' : ` in ${ms} ms`}${why === undefined ? '' : `: ${why.split('\n', 1)[0] ?? ''}`}`;

/** Passes that are told. */
const mostPasses = 5;

/** Sentences, the most telling first. */
export const lastOf = (facts: Facts): readonly string[] => [
  ...objectSentences(facts),
  ...recordSentences(facts),
  ...pollSentences(facts),
  ...facts.passes.slice(0, mostPasses).map(passLine),
];
