/** What happens next to an object, and when, in sentences. Pure. */
import { pausedAnnotation } from '../../api/labels.ts';
import { showKey } from '../../kube/object.ts';
import { conditionOf } from '../../reconcile/conditions.ts';
import { rowOf } from '../../reconcile/kind-table.ts';
import { showSpan, showTime } from '../../text/span.ts';
import type { Facts, Look } from './facts.ts';
import { happyType, sayCondition } from './last.ts';

/** An unfinished object is looked at at least so often (lib/reconcile/due.ts). */
const unfinishedSeconds = 660;
/** The sweeper runs each minute. */
const sweeperSeconds = 300;

const objectIn = (look: Look) => ('object' in look ? look.object : undefined);

const isHappy = ({ look, target }: Facts): boolean =>
  conditionOf(objectIn(look), happyType(target.kind))?.status === 'True';

const hasEnded = ({ look, target }: Facts): boolean =>
  target.kind === 'Build' && ['True', 'False'].includes(conditionOf(objectIn(look), 'Succeeded')?.status ?? '');

/** Why the due time is the one that it is. */
const dueBecause = (facts: Facts, inSeconds: number): string => {
  const { record, target } = facts;
  if (record?.unregisteredAt !== undefined)
    return 'to see whether its cluster is registered again; after two days it is forgotten';
  if (record?.goneAt !== undefined) return 'and forgotten if it is still not there';
  if ((record?.attempts ?? 0) > 0) return 'to try again, ever more rarely while it fails';
  if (target.kind === 'GitPoll') return 'to ask its repository again';
  if (inSeconds <= unfinishedSeconds && !isHappy(facts) && !hasEnded(facts)) return 'as it is not finished';
  return inSeconds <= unfinishedSeconds ? 'as was asked for' : 'as everything is once a day';
};

const dueSentences = (facts: Facts): readonly string[] => {
  const { record, now, circuitOpenUntil: open } = facts;
  if (record?.dueAt === undefined) return [];
  const wait = record.dueAt - now;
  if (wait > 0)
    return [
      `It is looked at at ${showTime(record.dueAt)} (in ${showSpan(wait)}) at the latest, ${dueBecause(facts, wait)}.`,
    ];
  if (open !== undefined && open > now) return [`It has been due for ${showSpan(wait)}, and waits for its cluster.`];
  return [
    wait < -sweeperSeconds
      ? `It has been due for ${showSpan(wait)}, which only a sweeper that does not run leaves so: kpackless doctor.`
      : `It is due since ${showTime(record.dueAt)}: the next sweep wakes it, within a minute.`,
  ];
};

/** What it waits for among what it is made of. */
const waitSentences = ({ related, now }: Facts): readonly string[] =>
  related.flatMap(({ key, look }) => {
    if ('unknown' in look) return [];
    if ('absent' in look)
      // A pod goes when it is cleared away; what is depended on is missed.
      return key.kind === 'Pod' || key.kind === 'Build' ? [] : [`It waits for ${showKey(key)}, which there is not.`];
    if (key.kind === 'Pod') {
      const phase = (look.object.status as { readonly phase?: string } | undefined)?.phase ?? 'Unknown';
      return phase === 'Succeeded' || phase === 'Failed'
        ? []
        : [`${showKey(key)} is ${phase}: each change of it is told by the relay.`];
    }
    const type = happyType(key.kind);
    const found = conditionOf(look.object, type);
    if (found?.status === 'True' || (key.kind === 'Build' && found?.status === 'False')) return [];
    const said = found === undefined ? `${type} is Unknown` : sayCondition(found, now);
    return [`It waits for ${showKey(key)}, whose ${said}; kpackless why ${key.kind}/${key.name} says more.`];
  });

const pauseSentences = ({ look, target }: Facts): readonly string[] =>
  target.kind === 'Image' && objectIn(look)?.metadata?.annotations?.[pausedAnnotation] === 'true'
    ? [`No Build is made while annotation ${pausedAnnotation} is true.`]
    : [];

const pollSentences = ({ poll, target, now }: Facts): readonly string[] => {
  if (poll === undefined || target.kind === 'GitPoll')
    return poll?.row.isOwed === true ? ['A push hook is waited on: it asks next time.'] : [];
  const { dueAt } = poll;
  return dueAt === undefined
    ? []
    : [
        dueAt > now
          ? `Its repository is asked again at ${showTime(dueAt)} (in ${showSpan(dueAt - now)}); a push hook is sooner.`
          : 'Its repository is asked by the next sweep, within a minute.',
      ];
};

/** Who wakes it beside the clock. */
const wakers = (facts: Facts): readonly string[] => {
  const { target, record } = facts;
  if (hasEnded(facts)) return ['It has ended and stays as it is.'];
  const edges = (record?.edges ?? [])
    .map((edge) => edge.split('#'))
    .map(([kind = '', namespace = '', name = '']) => ({ kind, namespace, name }));
  const of = edges
    .slice(0, 5)
    .map(({ kind, namespace, name }) => (name === '*' ? `any ${kind}` : showKey({ kind, namespace, name })));
  const more = edges.length > of.length ? ` and ${edges.length - of.length} more` : '';
  return rowOf(target.kind)?.watched !== true
    ? []
    : [`A change of it${of.length > 0 ? `, or of ${of.join(', ')}${more}` : ''} wakes it at once.`];
};

/** Sentences in the order in which things stand in its way. */
export const nextOf = (facts: Facts): readonly string[] => {
  const { target, isRegistered, look, record, circuitOpenUntil: open, now, queue } = facts;
  const { cluster } = target;
  if (!isRegistered)
    return [
      `Cluster ${cluster} is not registered, so nothing is done for its objects: kpackless cluster add ${cluster}.`,
      ...dueSentences(facts),
    ];
  if ('absent' in look && record === undefined)
    return ['Nothing: there is nothing of that name, and nothing is remembered of it.'];
  return [
    ...(open !== undefined && open > now
      ? [
          `Nothing is asked of cluster ${cluster} before ${showTime(open)} (in ${showSpan(open - now)}), as it does not answer; then one probe. Its relay wakes everything when it is back.`,
        ]
      : []),
    ...(queue.depth.deadLetters > 0
      ? [
          `Queue ${queue.name} has ${queue.depth.deadLetters} dead letters, perhaps about it: kpackless dlq list ${queue.name}.`,
        ]
      : []),
    ...(record === undefined
      ? [
          `A pass has to look at it first: ${queue.depth.waiting} messages wait in queue ${queue.name}. If it stays so, its relay does not tell of it: kpackless cluster check ${cluster}.`,
        ]
      : []),
    ...pauseSentences(facts),
    ...waitSentences(facts),
    ...pollSentences(facts),
    ...dueSentences(facts),
    ...wakers(facts),
  ];
};
