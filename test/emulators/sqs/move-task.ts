/** StartMessageMoveTask: brings the messages of a dead-letter queue back where they came from, at a bounded rate. */

import { randomUUID } from 'node:crypto';
import type { Account, NamedQueue } from './account.ts';
import type { Clock } from './clock.ts';
import { invalidParameter, sqsError } from './errors.ts';
import { maxListedTasks, second } from './limits.ts';
import type { StoredMessage } from './message.ts';

export interface MoveTask {
  readonly handle: string;
  readonly sourceArn: string;
  readonly destinationArn: string | undefined;
  /** 1 to 500, as asked; undefined lets the queue choose. */
  readonly maxPerSecond: number | undefined;
  readonly startedAt: number;
  readonly toMove: number;
  status: 'RUNNING' | 'COMPLETED' | 'CANCELLED' | 'FAILED';
  moved: number;
  failureReason: string | undefined;
}

const fastestPerSecond = 500;
const stepMs = 20;

export class MoveTasks {
  readonly #account: Account;
  readonly #clock: Clock;
  /** Newest first, per source. */
  readonly #tasks = new Map<string, MoveTask[]>();
  readonly #alarms = new Map<MoveTask, () => void>();

  constructor(account: Account, clock: Clock) {
    this.#account = account;
    this.#clock = clock;
  }

  /** Starts moving. One running task per source; the source must be somebody's dead-letter queue. */
  start(sourceArn: string, destinationArn: string | undefined, maxPerSecond: number | undefined): MoveTask {
    const source = this.#existing(sourceArn, 'SourceArn');
    const destination = destinationArn === undefined ? undefined : this.#existing(destinationArn, 'DestinationArn');
    if (this.#account.sourcesOf(sourceArn).length === 0) {
      throw invalidParameter('Source queue must be configured as a Dead Letter Queue.');
    }
    if (destination !== undefined && destination.queue.settings.fifo !== source.queue.settings.fifo) {
      throw invalidParameter('Source and destination queues must be of the same type.');
    }
    const known = this.#tasks.get(sourceArn) ?? [];
    if (known[0]?.status === 'RUNNING') {
      throw sqsError(
        'UnsupportedOperation',
        'There is already a task running. Only one active task is allowed for a source queue arn at a given time.',
      );
    }
    const startedAt = this.#clock.now();
    const task: MoveTask = {
      handle: Buffer.from(JSON.stringify({ taskId: randomUUID(), sourceArn })).toString('base64'),
      sourceArn,
      destinationArn,
      maxPerSecond,
      startedAt,
      toMove: source.queue.counts(startedAt).ready,
      status: 'RUNNING',
      moved: 0,
      failureReason: undefined,
    };
    this.#tasks.set(sourceArn, [task, ...known].slice(0, maxListedTasks));
    this.#step(source, task);
    return task;
  }

  /** The latest tasks of a source, newest first. */
  list(sourceArn: string, max: number): readonly MoveTask[] {
    this.#existing(sourceArn, 'SourceArn');
    return (this.#tasks.get(sourceArn) ?? []).slice(0, max);
  }

  /** Stops a running task; what it has moved stays moved. */
  cancel(handle: string): MoveTask {
    const task = [...this.#tasks.values()].flat().find((known) => known.handle === handle);
    if (task === undefined) throw sqsError('ResourceNotFoundException', 'Task does not exist.');
    if (task.status !== 'RUNNING') throw sqsError('UnsupportedOperation', 'Only active tasks can be cancelled.');
    task.status = 'CANCELLED';
    this.#alarms.get(task)?.();
    return task;
  }

  /** Stops without a trace: nothing moves after the end. */
  close(): void {
    for (const cancel of this.#alarms.values()) cancel();
    this.#alarms.clear();
  }

  #existing(arn: string, parameter: string): NamedQueue {
    const named = this.#account.byArn(arn);
    if (named !== undefined) return named;
    throw sqsError(
      'ResourceNotFoundException',
      `The resource that you specified for the ${parameter} parameter doesn't exist.`,
    );
  }

  /** Moves what the rate allows by now and comes back for the rest. */
  #step(source: NamedQueue, task: MoveTask): void {
    this.#alarms.delete(task);
    if (task.status !== 'RUNNING') return;
    const now = this.#clock.now();
    const rate = task.maxPerSecond ?? fastestPerSecond;
    const allowance = Math.floor(((now - task.startedAt) * rate) / second) + 1;
    while (task.moved < allowance) {
      const step =
        task.moved >= task.toMove ? 'none' : source.queue.moveNext((message) => this.#take(task, message, now), now);
      // None left, or only ones behind a blocked group: their turn comes with a later task.
      if (step === 'none') task.status = 'COMPLETED';
      if (step === 'refused') task.status = 'FAILED';
      if (step !== 'moved') return;
      task.moved += 1;
    }
    const next = task.startedAt + (task.moved * second) / rate;
    this.#alarms.set(
      task,
      this.#clock.at(Math.max(Math.ceil(next), now + stepMs), () => this.#step(source, task)),
    );
  }

  #take(task: MoveTask, message: StoredMessage, now: number): boolean {
    const target = this.#account.byArn(task.destinationArn ?? message.deadLetteredFrom ?? '');
    if (target === undefined) {
      const origin = message.deadLetteredFrom;
      task.failureReason =
        origin === undefined ? 'CouldNotDetermineMessageSource' : 'AWS.SimpleQueueService.NonExistentQueue';
      return false;
    }
    target.queue.accept(asNew(message, now), now);
    return true;
  }
}

/** A moved message counts as new: id, age and receive count start again (spec 06 §3). */
const asNew = (message: StoredMessage, now: number): StoredMessage => ({
  ...message,
  id: randomUUID(),
  sentAt: now,
  receiveCount: 0,
  firstReceivedAt: undefined,
  deadLetteredFrom: undefined,
});
