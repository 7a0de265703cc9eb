/** What is kept of an object: all that Kubernetes says of its end or its waiting, nothing of this machine, and times counted from 09:00:00. */
import type { ContainerState, ContainerStatus, Event, Pod, PodCondition } from 'kubernetes-types/core/v1.d.ts';

/** When each recorded pod was made. */
const madeAt = Date.parse('2026-11-21T09:00:00Z');

/** An event as it is kept. */
export interface RecordedEvent {
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly lastTimestamp: string;
  readonly from: string;
}

const shifted = (created: string | undefined) => (time: string | undefined) =>
  time === undefined
    ? undefined
    : new Date(madeAt + Date.parse(time) - Date.parse(created ?? '')).toISOString().replace(/\.\d{3}Z$/u, 'Z');

/** Addresses of this machine, digests and ids, as somebody else's would be. */
const anonymous = (text: string): string =>
  text
    .replaceAll(/10\.88\.\d+\.\d+/gu, '192.0.2.2')
    .replaceAll(/\b(?:localhost|127\.0\.0\.1)(?::\d+)?/gu, '192.0.2.1')
    .replaceAll(/\b[0-9a-f]{64}\b/gu, 'f'.repeat(64))
    .replaceAll(
      /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gu,
      '00000000-0000-0000-0000-000000000000',
    )
    .replaceAll(/\/tmp\/[\w./-]*?(?=[":, ]|$)/gu, '/var/lib/node');

type Shift = ReturnType<typeof shifted>;

const stateOf = ({ waiting, running, terminated }: ContainerState, shift: Shift): ContainerState => {
  const message = (text: string | undefined) => (text === undefined ? {} : { message: anonymous(text) });
  if (waiting !== undefined) return { waiting: { ...waiting, ...message(waiting.message) } };
  if (running !== undefined) return { running: { startedAt: shift(running.startedAt) ?? '' } };
  if (terminated === undefined) return {};
  const { containerID: _, startedAt, finishedAt, ...rest } = terminated;
  return {
    terminated: {
      ...rest,
      ...message(terminated.message),
      ...(startedAt && { startedAt: shift(startedAt) ?? '' }),
      ...(finishedAt && { finishedAt: shift(finishedAt) ?? '' }),
    },
  };
};

const statusOf = (
  { name, state = {}, lastState = {}, ready, restartCount, started }: ContainerStatus,
  shift: Shift,
): ContainerStatus => ({
  name,
  image: '',
  imageID: '',
  state: stateOf(state, shift),
  ...(Object.keys(lastState).length > 0 && { lastState: stateOf(lastState, shift) }),
  ready,
  restartCount,
  ...(started !== undefined && { started }),
});

const conditionOf = ({ type, status, reason, message, lastTransitionTime }: PodCondition, shift: Shift) => ({
  type,
  status,
  ...(reason !== undefined && { reason }),
  ...(message !== undefined && { message: anonymous(message) }),
  lastTransitionTime: shift(lastTransitionTime) ?? '',
});

/** The pod: its times, its containers' names, and its status. */
export const recordedPod = ({ metadata, spec, status }: Pod): Pod => {
  const shift = shifted(metadata?.creationTimestamp);
  const names = (all: NonNullable<Pod['spec']>['containers'] = []) =>
    all.map((one) => {
      const { restartPolicy } = one as { readonly restartPolicy?: string };
      return { name: one.name, ...(restartPolicy !== undefined && { restartPolicy }) };
    });
  const { phase, reason, message, startTime, conditions, initContainerStatuses, containerStatuses } = status ?? {};
  return {
    metadata: {
      creationTimestamp: shift(metadata?.creationTimestamp) ?? '',
      ...(metadata?.deletionTimestamp !== undefined && {
        deletionTimestamp: shift(metadata.deletionTimestamp) ?? '',
        deletionGracePeriodSeconds: metadata.deletionGracePeriodSeconds ?? 0,
      }),
    },
    spec: {
      ...(spec?.nodeName !== undefined && { nodeName: 'node1' }),
      ...(spec?.schedulerName !== undefined && { schedulerName: spec.schedulerName }),
      initContainers: names(spec?.initContainers),
      containers: names(spec?.containers),
    },
    status: {
      ...(phase !== undefined && { phase }),
      ...(reason !== undefined && { reason }),
      ...(message !== undefined && { message: anonymous(message) }),
      ...(startTime !== undefined && { startTime: shift(startTime) ?? '' }),
      ...(conditions !== undefined && { conditions: conditions.map((one) => conditionOf(one, shift)) }),
      ...(initContainerStatuses !== undefined && {
        initContainerStatuses: initContainerStatuses.map((one) => statusOf(one, shift)),
      }),
      ...(containerStatuses !== undefined && {
        containerStatuses: containerStatuses.map((one) => statusOf(one, shift)),
      }),
    },
  };
};

/** The events of a pod, oldest first. */
export const recordedEvents = (events: readonly Event[], { metadata }: Pod): readonly RecordedEvent[] => {
  const shift = shifted(metadata?.creationTimestamp);
  return events
    .map(({ type, reason, message, lastTimestamp, eventTime, series, source, reportingComponent }) => ({
      type: type ?? '',
      reason: reason ?? '',
      message: anonymous(message ?? ''),
      lastTimestamp: shift(series?.lastObservedTime ?? lastTimestamp ?? eventTime) ?? '',
      from: reportingComponent || source?.component || '',
    }))
    .toSorted((a, b) => (a.lastTimestamp < b.lastTimestamp ? -1 : 1));
};

/** A message of the API server. */
export const recordedWords = anonymous;
