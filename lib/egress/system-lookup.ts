/** The system's resolver, for names that tenants write. */
import { lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';

/** A look-up holds one of libuv's four threads until its DNS server answers: names of tenants get half of them, so that AWS is always found. */
const mostAtOnce = 2;
/** Whoever has waited so long, in ms, was given up (guard.ts). */
const longestWait = 5000;

let running = 0;
const waiting: (() => void)[] = [];

const givenUp = (hostname: string): Error =>
  Object.assign(new Error(`getaddrinfo EAI_AGAIN ${hostname}`), { code: 'EAI_AGAIN', syscall: 'getaddrinfo' });

const next = (): void => {
  if (running < mostAtOnce) waiting.shift()?.();
};

/** `dns.lookup` with `all`, a few at once; those who wait are taken in order. */
export const systemLookup: LookupFunction = (hostname, options, callback) => {
  const since = performance.now();
  waiting.push(() => {
    if (performance.now() - since > longestWait) {
      callback(givenUp(hostname), []);
      next();
      return;
    }
    running += 1;
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      running -= 1;
      next();
      callback(error, addresses);
    });
  });
  next();
};
