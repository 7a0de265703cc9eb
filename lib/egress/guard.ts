/**
 * The guard of every connection that goes where a tenant's word leads (DESIGN §3.27). It judges the very addresses that are dialled, after the
 * name is resolved, so a resolver that answers differently the next time changes nothing.
 */
import { connect, type LookupFunction, type Socket } from 'node:net';
import { ExpectedError } from '../errors/expected.ts';
import { printable } from '../text/printable.ts';
import { literalAddress, parseAddress, printIpv4 } from './address.ts';
import type { Judge, Refusal } from './policy.ts';
import { systemLookup } from './system-lookup.ts';

/** A host that is not dialled. The message names the host as it was written and the kind of its address, never the address. */
export class EgressRefused extends ExpectedError {
  override readonly name = 'EgressRefused';

  constructor(host: string, { what, remedy }: Refusal) {
    super(`${printable(host, 256)} leads to ${what}, which is not asked; ${remedy}`, { pace: 'slow' });
  }
}

/** What connections are made by. */
export interface EgressGuard {
  /** For `net.connect`: resolves, and gives of the addresses those that may be dialled. Fails with EgressRefused when there is none. */
  readonly lookup: LookupFunction;
  /** The refusal of a host written as an address: `net.connect` dials such a one without asking `lookup`. */
  readonly ofLiteral: (host: string) => EgressRefused | undefined;
}

/** Longest wait for a name to be resolved, in ms. */
const deadlineMilliseconds = 5000;

/** How names are resolved. */
export interface GuardOptions {
  /** The system's own unless a test gives another; asked with `all`. */
  readonly resolve?: LookupFunction;
  readonly deadlineMilliseconds?: number;
}

const late = (hostname: string): Error =>
  Object.assign(new Error(`getaddrinfo ETIMEDOUT ${printable(hostname, 256)}`), {
    code: 'ETIMEDOUT',
    syscall: 'getaddrinfo',
  });

/** A guard that lets through what the rule lets through. */
export const egressGuard = (
  judge: Judge,
  { resolve = systemLookup, deadlineMilliseconds: deadline = deadlineMilliseconds }: GuardOptions = {},
): EgressGuard => {
  const ofLiteral = (host: string): EgressRefused | undefined => {
    const address = literalAddress(host);
    const refusal = address === undefined ? undefined : judge(address);
    return refusal === undefined ? undefined : new EgressRefused(host, refusal);
  };
  const lookup: LookupFunction = (hostname, options, callback) => {
    let isOver = false;
    const end = (error: Error | null, addresses: readonly { address: string; family: number }[]): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      const [first] = addresses;
      if (error !== null || first === undefined) callback(error ?? late(hostname), []);
      else if (options.all === true) callback(null, [...addresses]);
      else callback(null, first.address, first.family);
    };
    const timer = setTimeout(() => end(late(hostname), []), deadline);
    // Forms that only a resolver understands are read here: what is judged is what is dialled.
    const literal = literalAddress(hostname);
    if (literal?.family === 4) {
      end(ofLiteral(hostname) ?? null, [{ address: printIpv4(literal), family: 4 }]);
      return;
    }
    resolve(hostname, { ...options, all: true }, (error, found) => {
      if (error !== null) return end(error, []);
      const judged = (Array.isArray(found) ? found : []).map((one) => {
        const address = parseAddress(one.address);
        return { one, refusal: address === undefined ? unknownForm : judge(address) };
      });
      const refused = judged.flatMap(({ refusal }) => refusal ?? [])[0];
      const open = judged.flatMap(({ one, refusal }) => (refusal === undefined ? [one] : []));
      if (open.length === 0 && refused !== undefined) return end(new EgressRefused(hostname, refused), []);
      end(null, open);
    });
  };
  return { lookup, ofLiteral };
};

const unknownForm: Refusal = { what: 'an address of unknown form', remedy: 'correct its DNS entry' };

/** The refusal of a host, whether address or name; undefined as well when the name cannot be resolved here. */
export const refusalOf = async (guard: EgressGuard, host: string): Promise<EgressRefused | undefined> =>
  guard.ofLiteral(host) ??
  new Promise((resolve) => {
    guard.lookup(host.replace(/^\[(.*)\]$/u, '$1'), { all: true }, (error) =>
      resolve(error instanceof EgressRefused ? error : undefined),
    );
  });

/** Opens connections, for protocols that are not HTTP. The signal ends an attempt and an open connection alike. */
export type Dial = (host: string, port: number, signal: AbortSignal) => Promise<Socket>;

/** Dials what the guard lets through. Rejects with EgressRefused or the system's error. */
export const guardedDial =
  (guard: EgressGuard): Dial =>
  (host, port, signal) =>
    new Promise((resolve, reject) => {
      const refusal = guard.ofLiteral(host);
      if (refusal !== undefined) {
        reject(refusal);
        return;
      }
      const socket = connect({ host, port, lookup: guard.lookup, signal, noDelay: true });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(socket);
      });
    });
