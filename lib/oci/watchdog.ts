/**
 * Ends a transfer that has stalled or crawls, and passes on the caller's own signal (DESIGN §3.14: every outbound call has a deadline).
 * Only time spent waiting for the other side counts: a slow consumer of a download is not the registry's fault.
 */

export interface Watchdog {
  /** Aborts the transfer. */
  readonly signal: AbortSignal;
  /** From now on the other side is waited for. */
  readonly waiting: () => void;
  /** It moved: so many bytes. The clock stands until `waiting`. */
  readonly moved: (bytes: number) => void;
  /** Ends the watch; always call it. */
  readonly stop: () => void;
  /** Why it barked, as a sentence; undefined when it did not. */
  readonly verdict: () => string | undefined;
}

export interface WatchdogOptions {
  readonly signal?: AbortSignal | undefined;
  /** Longest wait at a stretch, in ms. */
  readonly idleMs: number;
  /** Slowest acceptable transfer once `graceMs` have been waited in all: what a slow loris stays under. */
  readonly minBytesPerSecond: number;
  readonly graceMs: number;
}

/** Starts to watch a transfer; the other side is waited for from the start. */
export const startWatchdog = ({ signal, idleMs, minBytesPerSecond, graceMs }: WatchdogOptions): Watchdog => {
  const controller = new AbortController();
  let reason: string | undefined;
  let movedBytes = 0;
  let waitedMs = 0;
  let sinceMs: number | undefined = performance.now();
  let timer: NodeJS.Timeout | undefined;

  const bark = (): void => {
    const stalledMs = sinceMs === undefined ? 0 : performance.now() - sinceMs;
    reason ??=
      stalledMs >= idleMs - 10
        ? `no progress for ${idleMs / 1000} s`
        : `slower than ${minBytesPerSecond} bytes/s for ${Math.round((waitedMs + stalledMs) / 1000)} s`;
    controller.abort(new Error(reason));
  };
  // The transfer may wait until the idle limit or until its average falls below the rate, whichever comes first.
  const arm = (): void => {
    const allowedMs = Math.max(graceMs, (movedBytes / minBytesPerSecond) * 1000);
    timer = setTimeout(bark, Math.max(Math.min(idleMs, allowedMs - waitedMs), 0));
  };
  arm();
  return {
    signal: signal === undefined ? controller.signal : AbortSignal.any([signal, controller.signal]),
    waiting: () => {
      if (sinceMs !== undefined) return;
      sinceMs = performance.now();
      arm();
    },
    moved: (bytes) => {
      movedBytes += bytes;
      clearTimeout(timer);
      if (sinceMs !== undefined) waitedMs += performance.now() - sinceMs;
      sinceMs = undefined;
    },
    stop: () => clearTimeout(timer),
    verdict: () => reason ?? (signal?.aborted === true ? `stopped by the caller: ${reasonOf(signal)}` : undefined),
  };
};

const reasonOf = (signal: AbortSignal): string =>
  signal.reason instanceof Error ? signal.reason.message : String(signal.reason);
