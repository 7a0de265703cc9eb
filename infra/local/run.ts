/** What `npm start` does: everything is started, the sample is followed to its end, what was found is shown. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ExpectedError } from '../../lib/errors/expected.ts';
import { resetState } from './cluster/leftovers.ts';
import { lockHolder } from './cluster/lock.ts';
import { defaultStateDir } from './cluster/state.ts';
import type { StartOptions } from './options.ts';
import { sampleNamespace } from './sample/objects.ts';
import { type SampleState, sampleState } from './sample/progress.ts';
import { answerOf } from './sample/run-app.ts';
import { StageClock } from './sample/stages.ts';
import { type Screen, screenOn } from './screen.ts';
import { type Running, startEverything } from './start.ts';

/** A first build on a loaded laptop stays far below this. */
const readyMinutes = 10;

/** Shows the sample until its Image is Ready. @throws ExpectedError when its build failed or it takes too long */
const followSample = async (
  { kube }: Running,
  screen: Screen,
  clock: StageClock,
  stopped: AbortSignal,
): Promise<SampleState> => {
  const until = Date.now() + readyMinutes * 60_000;
  while (!stopped.aborted) {
    const state = await sampleState(kube);
    clock.look(state, performance.now());
    screen.table(state.rows);
    if (state.outcome === 'True') {
      screen.endTable();
      return state;
    }
    const failed = state.rows.find((row) => row.state === 'failed' && row.name.startsWith('Build '));
    if (failed !== undefined) throw new ExpectedError(`the sample could not be built: ${failed.detail}`);
    if (Date.now() > until) throw new ExpectedError(`the sample was not ready after ${readyMinutes} minutes`);
    await sleep(100);
  }
  throw new ExpectedError('stopped before the sample was ready');
};

const report = async (running: Running, state: SampleState, clock: StageClock, screen: Screen): Promise<void> => {
  const image = state.image?.status?.latestImage ?? '';
  const answer = await answerOf(running.kube, running.transport, {
    namespace: sampleNamespace,
    name: 'sample-app',
    image,
  });
  screen.line('');
  screen.line(`image   ${image}`);
  for (const { name, seconds } of clock.stages()) screen.line(`${seconds.toFixed(1).padStart(6)} s  ${name}`);
  screen.line(`answer  ${answer.trim()}`);
};

/** Rejects when kpackless ends although nobody stopped it. @throws ExpectedError */
const lossOf = async ({ standalone }: Running, stopped: AbortSignal): Promise<never> => {
  const code = await standalone.ended;
  if (stopped.aborted) return new Promise(() => {});
  throw new ExpectedError(`kpackless ended unexpectedly (${code ?? 'killed'})`);
};

/** Does what the command line says. Resolves once everything it started has ended. @throws ExpectedError, PermanentError */
export const run = async (options: StartOptions): Promise<void> => {
  const screen = screenOn(process.stdout);
  const stateDir = defaultStateDir();
  if (options.reset) {
    const holder = lockHolder();
    if (holder?.alive === true)
      throw new ExpectedError(
        `a local cluster is running (process ${holder.pid}): stop it before its state is forgotten`,
      );
    await resetState(stateDir);
    screen.line(`forgot the state in ${stateDir}`);
    if (!options.exitWhenReady) return;
  }
  const stop = new AbortController();
  const interrupted = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.on(signal, () => {
        if (stop.signal.aborted) return;
        screen.line('\nstopping what was started; this takes a few seconds');
        stop.abort();
        resolve();
      });
  });
  const running = await startEverything(options, stateDir, screen, stop.signal);
  try {
    const clock = new StageClock(performance.now());
    const state = await Promise.race([followSample(running, screen, clock, stop.signal), lossOf(running, stop.signal)]);
    await report(running, state, clock, screen);
    if (options.exitWhenReady) return;
    screen.line('');
    for (const line of running.hints) screen.line(line);
    screen.line('\nCtrl-C stops everything; npm start goes on where this ended.');
    await Promise.race([interrupted, lossOf(running, stop.signal)]);
  } catch (error) {
    if (stop.signal.aborted) return;
    screen.endTable();
    screen.line(`logs are in ${join(stateDir, 'logs')}`);
    throw error;
  } finally {
    await running.stop();
  }
};
