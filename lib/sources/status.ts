/** What a SourceResolver says of itself after a pass (spec 02 §8.2, with the differences of DESIGN §4). */
import type { Condition } from '../api/condition.ts';
import type { ResolvedSourceConfig } from '../api/source-config.ts';
import type { SourceResolver, SourceResolverStatus } from '../api/source-resolver.ts';
import { type ExpectedError, PermanentError } from '../errors/expected.ts';
import { GitError, isTransient } from '../git/errors.ts';
import { isKubeError } from '../kube/errors.ts';
import { condition, withTransitionTimes } from '../reconcile/conditions.ts';
import { HostRestsError } from './ask-host.ts';
import type { Version } from './followed-version.ts';
import { askedInterval, askedSeconds } from './poll-interval.ts';
import type { NotServed } from './poll-quota.ts';
import { isPollable } from './polling.ts';
import { SourceProbeError } from './probe-error.ts';
import { gitReasons, sourceReasons } from './reasons.ts';
import { RevisionNotFoundError } from './resolve-git.ts';

const withTimes = (resolver: SourceResolver, conditions: readonly Condition[], now: Date): Condition[] => [
  ...withTransitionTimes(conditions, resolver.status?.conditions, now),
];

const isOn = ({ metadata }: SourceResolver): boolean => askedSeconds(metadata.annotations) !== 0;

/** Whether the source is looked at again by itself. Only where the annotation changes the answer is there a reason. */
const activePolling = (
  resolver: SourceResolver,
  source: ResolvedSourceConfig,
  followed: NotServed | Version | undefined,
): Condition => {
  if (followed !== undefined && 'notServed' in followed) {
    const isPolled = followed.isPolled && isOn(resolver) ? 'True' : 'False';
    return condition('ActivePolling', isPolled, sourceReasons.tooMany, followed.notServed);
  }
  if (followed !== undefined)
    return 'version' in followed
      ? condition('ActivePolling', 'True')
      : condition('ActivePolling', 'False', sourceReasons.notFollowed, followed.notFollowed);
  const asked = askedInterval(resolver.metadata.annotations);
  const status = isPollable(source) ? 'True' : 'False';
  if (asked.kind === 'wrong') return condition('ActivePolling', status, sourceReasons.invalidInterval, asked.message);
  if (asked.kind === 'default' || asked.seconds > 0 || !isPollable(source)) return condition('ActivePolling', status);
  return condition(
    'ActivePolling',
    'False',
    sourceReasons.pollingOff,
    'switched off by annotation; push hooks are heard',
  );
};

/**
 * The status for a source that was resolved: Ready, and polled when it can move. `followed` is what a look at a blob or image found,
 * where one was asked for, or why a shared poll does not serve. Without annotation, conditions carry neither reason nor message.
 */
export const resolvedStatus = (
  resolver: SourceResolver,
  source: ResolvedSourceConfig,
  followed: NotServed | Version | undefined,
  now: Date,
): SourceResolverStatus => ({
  observedGeneration: resolver.metadata.generation,
  conditions: withTimes(resolver, [condition('Ready', 'True'), activePolling(resolver, source, followed)], now),
  source,
});

/** Did this very spec resolve before, to something that can move? A failed pass leaves the answer as it was. */
const wasPolled = ({ metadata, status }: SourceResolver): boolean =>
  status?.observedGeneration === metadata.generation &&
  status?.conditions?.some((had) => had.type === 'ActivePolling' && had.status === 'True') === true;

/**
 * While a host is down each try may fail a little differently, or is not made at all. What was said first stays then, so that waiting
 * writes nothing.
 */
const steady = ({ metadata, status }: SourceResolver, failure: Error, wanted: Condition): Condition => {
  const had = status?.conditions?.find(({ type }) => type === wanted.type);
  if (had?.status !== 'Unknown' || wanted.status !== 'Unknown') return wanted;
  if (status?.observedGeneration !== metadata.generation) return wanted;
  return failure instanceof HostRestsError || had.reason === wanted.reason ? had : wanted;
};

/** How long a source that has never answered is waited for, seconds. */
const neverAnsweredSeconds = 120;

/**
 * A mistyped host looks like one that is down: a source that has not answered once for its spec, for two minutes, is somebody's to look at, until it
 * answers. One that has answered is waited for, however long it takes.
 */
const lasting = ({ metadata, status }: SourceResolver, wanted: Condition, now: Date): Condition => {
  const isOfThisSpec = status?.observedGeneration === metadata.generation;
  if (wanted.status !== 'Unknown' || !isOfThisSpec || status?.source !== undefined) return wanted;
  const had = status?.conditions?.find(({ type }) => type === wanted.type);
  const isLong = now.getTime() - Date.parse(had?.lastTransitionTime ?? '') >= neverAnsweredSeconds * 1000;
  return had?.status === 'False' || (had?.status === 'Unknown' && isLong) ? { ...wanted, status: 'False' } : wanted;
};

/** Unknown while waiting may help, False once somebody has to act; undefined for failures that are not about the source. */
const notReady = (resolver: SourceResolver, failure: ExpectedError | PermanentError): Condition | undefined => {
  if (failure instanceof PermanentError) return condition('Ready', 'False', failure.reason, failure.message);
  if (failure instanceof GitError) {
    return condition(
      'Ready',
      isTransient(failure.code) ? 'Unknown' : 'False',
      gitReasons[failure.code],
      failure.message,
    );
  }
  if (failure instanceof SourceProbeError) {
    const status = failure.pace === 'soon' ? 'Unknown' : 'False';
    return condition('Ready', status, sourceReasons.unreachable, failure.message);
  }
  if (failure instanceof RevisionNotFoundError) {
    const reason = wasPolled(resolver) ? sourceReasons.revisionDeleted : sourceReasons.revisionNotFound;
    return condition('Ready', 'False', reason, failure.message);
  }
  if (!isKubeError(failure, 'forbidden')) return undefined;
  const { namespace = '' } = resolver.metadata;
  const message = `ServiceAccount and Secrets of namespace ${namespace} may not be read (${failure.message}); bind ClusterRole kpackless-tenant in it with a RoleBinding`;
  return condition('Ready', 'False', sourceReasons.credentialsForbidden, message);
};

/**
 * The status for a pass that failed: Ready says what is wrong, the last good source stays and polling goes on as it was. Not if the
 * spec changed meanwhile: Images build from the source while a host is down, so it must be the one that this spec asks for. Undefined when the failure is ours or the cluster's and says nothing about the source.
 */
export const failedStatus = (
  resolver: SourceResolver,
  failure: ExpectedError | PermanentError,
  now: Date,
): SourceResolverStatus | undefined => {
  const ready = notReady(resolver, failure);
  if (ready === undefined) return undefined;
  const { source, ...rest } = resolver.status ?? {};
  const isOfThisSpec = resolver.status?.observedGeneration === resolver.metadata.generation;
  return {
    ...rest,
    ...(isOfThisSpec && source !== undefined ? { source } : {}),
    observedGeneration: resolver.metadata.generation,
    conditions: withTimes(
      resolver,
      [
        lasting(resolver, steady(resolver, failure, ready), now),
        condition('ActivePolling', wasPolled(resolver) ? 'True' : 'False'),
      ],
      now,
    ),
  };
};
