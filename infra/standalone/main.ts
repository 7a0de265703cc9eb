/**
 * kpackless as one process: relay, queues, table and every function (DESIGN §3.18). Told by its environment alone (settings.ts, and
 * docs/commands.md); SIGTERM lets passes that run end. Started by another Node process it also says to it how the start went, and ends with it.
 */
import { once } from 'node:events';
import { ExpectedError, PermanentError } from '../../lib/errors/expected.ts';
import { giveBackAtRest } from './give-back.ts';
import { standaloneSettings } from './settings.ts';
import { startStandalone } from './standalone.ts';

/** What a parent hears, once. */
export type StartReport =
  | { readonly healthPort: number; readonly hookPort: number | undefined }
  | { readonly failure: string };

/** Passes have ended by then, or are done again by the next start: nothing in the file is lost. */
const stopMilliseconds = 30_000;

const said = (error: unknown): string => {
  const isExpected = error instanceof ExpectedError || error instanceof PermanentError;
  return error instanceof Error ? ((isExpected ? error.message : error.stack) ?? error.message) : String(error);
};

const tell = (report: StartReport): void => void (process.connected ? process.send?.(report) : undefined);

const stop = new AbortController();
for (const reason of ['SIGINT', 'SIGTERM', 'disconnect'])
  process.once(reason, () => {
    setTimeout(() => process.exit(1), stopMilliseconds).unref();
    stop.abort();
  });

const stopGivingBack = giveBackAtRest();
try {
  const standalone = await startStandalone(standaloneSettings(process.env));
  tell({ healthPort: standalone.healthPort, hookPort: standalone.hookPort });
  if (!stop.signal.aborted) await once(stop.signal, 'abort');
  await standalone.stop();
} catch (error) {
  process.stderr.write(`kpackless: ${said(error)}\n`);
  tell({ failure: said(error) });
  process.exitCode = 1;
} finally {
  stopGivingBack();
  if (process.connected) process.disconnect();
}
