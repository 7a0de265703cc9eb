/** Actions on message move tasks. */

import { optionalNumber, optionalText, text } from './input.ts';
import { maxListedTasks, withinRange } from './limits.ts';
import type { MoveTask } from './move-task.ts';
import type { Action } from './service.ts';

const startMessageMoveTask: Action = ({ tasks }, input) => {
  const rate = optionalNumber(input, 'MaxNumberOfMessagesPerSecond');
  const { handle } = tasks.start(
    text(input, 'SourceArn'),
    optionalText(input, 'DestinationArn'),
    withinRange(rate, 'MaxNumberOfMessagesPerSecond', 1, 500),
  );
  return { TaskHandle: handle };
};

/** The handle is shown only while it can still be used to cancel. */
const described = (task: MoveTask): object => ({
  ...(task.status === 'RUNNING' && { TaskHandle: task.handle }),
  Status: task.status,
  SourceArn: task.sourceArn,
  DestinationArn: task.destinationArn,
  MaxNumberOfMessagesPerSecond: task.maxPerSecond,
  ApproximateNumberOfMessagesMoved: task.moved,
  ApproximateNumberOfMessagesToMove: task.toMove,
  FailureReason: task.failureReason,
  StartedTimestamp: task.startedAt,
});

const listMessageMoveTasks: Action = ({ tasks }, input) => {
  const max = withinRange(optionalNumber(input, 'MaxResults'), 'MaxResults', 1, maxListedTasks) ?? 1;
  return { Results: tasks.list(text(input, 'SourceArn'), max).map(described) };
};

const cancelMessageMoveTask: Action = ({ tasks }, input) => ({
  ApproximateNumberOfMessagesMoved: tasks.cancel(text(input, 'TaskHandle')).moved,
});

export const taskActions: Readonly<Record<string, Action>> = {
  StartMessageMoveTask: startMessageMoveTask,
  ListMessageMoveTasks: listMessageMoveTasks,
  CancelMessageMoveTask: cancelMessageMoveTask,
};
