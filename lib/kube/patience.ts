/** Which failed calls of an API server are made again within the pass, and when (DESIGN §3.33). Pure. */
import { KubeError, saysCredentialIsOld } from './errors.ts';

/** A call that meets a fault each third time gets through all but once in four hundred; then its message comes again. */
const mostTries = 5;
/** Where nobody listens it is the circuit that says when to ask again. */
const triesOnNobody = 2;
const firstMilliseconds = 100;
/** What is asked to wait for longer is not waited for in a pass. */
const longestMilliseconds = 5000;
/** What is put on what the server asked for, so that not all come at once. */
const spreadMilliseconds = 100;

/** Codes of libuv by which a connection ends that was there: what was sent may have been carried out. */
const brokenOff: ReadonlySet<unknown> = new Set(['ECONNRESET', 'ECONNABORTED', 'EPIPE', undefined]);

/** Of these nothing says that another try would be answered otherwise: 501 is final, and 504 has taken its time already. */
const notPassing: readonly number[] = [501, 504];

/** How often a call that failed so is made in all. Every one may be: a POST names what it makes, other writes name the version they are for. */
const triesAfter = (error: KubeError): number => {
  const { code, status = 0, cause } = error;
  if (code === 'throttled') return mostTries;
  if (code === 'server') return status >= 500 && !notPassing.includes(status) ? mostTries : 1;
  if (code !== 'unreachable' || saysCredentialIsOld(error)) return 1;
  return brokenOff.has(cause instanceof Error && 'code' in cause ? cause.code : undefined) ? mostTries : triesOnNobody;
};

/** A call so far. */
export interface Tried {
  /** How often it was made, at least once. */
  readonly tries: number;
  /** What is left of its pass. */
  readonly remainingMilliseconds: number;
}

/**
 * Milliseconds until the call that failed with `error` is made again: about 75, 150, 300, 600, or what `Retry-After` asks for if that is more.
 * Undefined when it is not, since it would fail again, was tried often enough, or its pass has no time for it. `random` is in [0, 1).
 */
export const retryAfterMilliseconds = (
  error: unknown,
  { tries, remainingMilliseconds }: Tried,
  random: number,
): number | undefined => {
  if (!(error instanceof KubeError) || tries >= triesAfter(error)) return undefined;
  const asked = (error.retryAfterSeconds ?? 0) * 1000;
  if (asked > longestMilliseconds) return undefined;
  const backOff = firstMilliseconds * 2 ** (tries - 1) * (0.5 + 0.5 * random);
  const wait = Math.max(backOff, asked === 0 ? 0 : asked + spreadMilliseconds * random);
  return wait < remainingMilliseconds ? wait : undefined;
};
