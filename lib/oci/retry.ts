/** Tries a request again when the fault is likely to pass (spec 04 §9.3). Waits that do not fit into a pass are left to the caller's dueAt. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isOciError } from './errors.ts';
import { discard, type HttpRequest, type HttpResponse, type Send } from './http.ts';
import { retryAfterSeconds } from './retry-after.ts';

export interface RetryOptions {
  /** Attempts in all. */
  readonly attempts?: number | undefined;
  /** First wait in ms; each further one is three times as long, each with up to a tenth more. */
  readonly firstWaitMs?: number | undefined;
  /** Longest `Retry-After` waited for here, in seconds; a longer one ends the call at once and is told to the caller. */
  readonly longestWaitSeconds?: number | undefined;
  readonly now?: (() => number) | undefined;
}

/** Statuses that say "not now": time-outs, throttling, and what gateways answer in trouble. */
export const isPassing = (status: number): boolean => [408, 429, 499, 500, 502, 503, 504, 522].includes(status);

/** Wraps a `Send` with retries. A body is sent again from its start. The last answer or error is passed on as it is. */
export const retrying =
  (send: Send, { attempts = 3, firstWaitMs = 100, longestWaitSeconds = 5, now = Date.now }: RetryOptions = {}): Send =>
  async (request) => {
    for (let attempt = 1; ; attempt++) {
      const outcome = await settle(send, request);
      const last = attempt >= attempts || request.once === true || request.signal?.aborted === true;
      if (outcome.ok && (last || !isPassing(outcome.response.status))) return outcome.response;
      if (!outcome.ok && (last || !isOciError(outcome.error, 'unreachable'))) throw outcome.error;
      const asked = outcome.ok ? retryAfterSeconds(outcome.response.headers.get('retry-after'), now()) : undefined;
      if (outcome.ok && asked !== undefined && asked > longestWaitSeconds) return outcome.response;
      if (outcome.ok) await discard(outcome.response);
      const backOffMs = firstWaitMs * 3 ** (attempt - 1) * (1 + Math.random() / 10);
      // Ended early by the caller's signal; the next attempt then fails at once with the proper error.
      await sleep(Math.max(backOffMs, (asked ?? 0) * 1000), undefined, { signal: request.signal }).catch(
        () => undefined,
      );
    }
  };

type Outcome = { readonly ok: true; readonly response: HttpResponse } | { readonly ok: false; readonly error: unknown };

const settle = async (send: Send, request: HttpRequest): Promise<Outcome> => {
  try {
    return { ok: true, response: await send(request) };
  } catch (error) {
    return { ok: false, error };
  }
};
