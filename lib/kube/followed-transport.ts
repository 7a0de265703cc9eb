/**
 * One way to an API server while its credential, certificates and address change: requests go out over a connection that ends with what it was
 * made from (DESIGN §3.34). What it is made from is read again every few seconds of use. A refusal is answered by reading it anew and asking
 * once more, as what is refused was not carried out; while it stands, one request at a time finds out whether it still does, and only when the
 * source has changed or after a back-off that grows.
 */
import type { IncomingMessage } from 'node:http';
import { ExpectedError } from '../errors/expected.ts';
import type { Access, AccessSource } from './access.ts';
import { type KubeError, saysCredentialIsOld } from './errors.ts';
import type { KubeConfig } from './kubeconfig.ts';
import { askAgainSeconds, stillRefused } from './refusal.ts';
import { sleep } from './sleep.ts';
import { type KubeAnswer, type KubeRequest, type KubeTransport, kubeTransport } from './transport.ts';

/** What following needs. */
export interface FollowedPorts {
  readonly source: AccessSource;
  readonly clock?: () => Date;
  readonly random?: () => number;
  /** How a connection is made; over the network unless a test makes another. @throws Error */
  readonly connect?: (config: KubeConfig) => KubeTransport;
}

/** Files are replaced under us, mostly before what they held is refused. */
const lookMilliseconds = 10_000;
/** While it is refused, or cannot be read, the source is looked at more often. */
const lookAnewMilliseconds = 3000;
/** Requests that are under way when a connection is replaced may end on it. */
const graceMilliseconds = 60_000;
/** Clocks of whole milliseconds: no loop without rest. */
const shortestMilliseconds = 50;
/** For so long others wait for the one request that finds out whether a refusal still stands. */
const probeMilliseconds = 5000;

interface Connection {
  readonly transport: KubeTransport;
  readonly mark: string;
}

/** The last word of the server on what we entered with. */
interface Refusal {
  readonly error: KubeError;
  readonly mark: string;
  /** In a row. */
  readonly times: number;
  /** When the same is shown again. */
  readonly askAt: number;
}

/** Leave to send one request. */
interface Entry {
  readonly connection: Connection;
  /** For the one that finds out whether a refusal still stands: lets the others go on. */
  readonly probed: (() => void) | undefined;
}

/** A transport that outlives what it was made from. Nothing is read or opened before the first request. */
export const followedTransport = (ports: FollowedPorts): KubeTransport => new FollowedTransport(ports);

class FollowedTransport implements KubeTransport {
  readonly #source: AccessSource;
  readonly #clock: () => Date;
  readonly #random: () => number;
  readonly #connect: (config: KubeConfig) => KubeTransport;
  #current: Connection | undefined;
  #isClosed = false;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #lookedAnewAt = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> | undefined;
  /** Why the source could not be read when it was looked at last. */
  #unreadable: Error | undefined;
  #refusal: Refusal | undefined;
  #probe: Promise<void> | undefined;

  constructor({
    source,
    clock = () => new Date(),
    random = () => Math.random(),
    connect = kubeTransport,
  }: FollowedPorts) {
    this.#source = source;
    this.#clock = clock;
    this.#random = random;
    this.#connect = connect;
  }

  get server(): string {
    return this.#current?.transport.server ?? 'an address that is not known yet';
  }

  send(request: KubeRequest): Promise<KubeAnswer> {
    return this.#perform((transport) => transport.send(request));
  }

  stream(request: KubeRequest): Promise<IncomingMessage> {
    return this.#perform((transport) => transport.stream(request));
  }

  refusalOver(signal: AbortSignal): Promise<void> | undefined {
    const isOut = this.#refusal !== undefined || (this.#unreadable !== undefined && this.#current === undefined);
    return isOut ? this.#untilAdmitted(signal) : undefined;
  }

  close(afterMilliseconds?: number): void {
    this.#isClosed = true;
    this.#current?.transport.close(afterMilliseconds);
    this.#current = undefined;
  }

  get #now(): number {
    return this.#clock().getTime();
  }

  /** Milliseconds until the source is to be read again. */
  get #untilLook(): number {
    if (this.#refusal !== undefined) return this.#lookedAnewAt + lookAnewMilliseconds - this.#now;
    return this.#lookedAt + (this.#unreadable === undefined ? lookMilliseconds : lookAnewMilliseconds) - this.#now;
  }

  /** Reads the source if it is time. Many who want it at once read it once. */
  async #look(): Promise<void> {
    if (this.#untilLook <= 0) this.#looking ??= this.#read(this.#refusal !== undefined);
    await this.#looking;
  }

  /** What cannot be read just now leaves what is known. */
  async #read(anew: boolean): Promise<void> {
    this.#lookedAt = this.#now;
    if (anew) this.#lookedAnewAt = this.#lookedAt;
    try {
      this.#follow(await this.#source.read({ anew }));
      this.#unreadable = undefined;
    } catch (error) {
      this.#unreadable = error instanceof Error ? error : new Error(String(error));
    } finally {
      this.#looking = undefined;
    }
  }

  #follow({ config, mark }: Access): void {
    if (this.#isClosed || mark === this.#current?.mark) return;
    const next = { transport: this.#connect(config), mark };
    this.#current?.transport.close(graceMilliseconds);
    this.#current = next;
  }

  /** Whether a refusal may be put to the test. */
  #mayProbe({ mark, askAt }: Refusal): boolean {
    return this.#current?.mark !== mark || this.#now >= askAt;
  }

  /** One at a time finds out; for everybody else it is over when that one has, or takes too long. */
  #beginProbe(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    const over = (): void => {
      clearTimeout(timer);
      if (this.#probe === promise) this.#probe = undefined;
      resolve();
    };
    const timer = setTimeout(over, probeMilliseconds);
    this.#probe = promise;
    return over;
  }

  /** @throws KubeError while the server refuses us; whatever the source throws when it was never read */
  async #enter(): Promise<Entry> {
    await this.#probe;
    await this.#look();
    while (this.#probe !== undefined) await this.#probe;
    const connection = this.#current;
    if (connection === undefined)
      throw this.#unreadable ?? new ExpectedError('the connection to the API server was closed');
    if (this.#refusal === undefined) return { connection, probed: undefined };
    if (!this.#mayProbe(this.#refusal)) throw stillRefused(this.#refusal.error, this.server);
    return { connection, probed: this.#beginProbe() };
  }

  #refused({ connection, probed }: Entry, error: KubeError): void {
    // Others of the same time say nothing new, nor does one who went out over what has been replaced since.
    if (probed === undefined && (this.#refusal !== undefined || connection !== this.#current)) return;
    const times = (this.#refusal?.times ?? 0) + 1;
    const askAt = this.#now + askAgainSeconds(times, this.#random()) * 1000;
    this.#refusal = { error, mark: connection.mark, times, askAt };
  }

  /** Sends a request. Gives why when it was refused for what we entered with. */
  async #tryOnce<T>(
    request: (transport: KubeTransport) => Promise<T>,
  ): Promise<{ answer: T } | { refused: KubeError }> {
    const entry = await this.#enter();
    try {
      const answer = await request(entry.connection.transport);
      if (entry.probed !== undefined) this.#refusal = undefined;
      return { answer };
    } catch (error) {
      if (saysCredentialIsOld(error)) {
        this.#refused(entry, error);
        return { refused: error };
      }
      // Whatever else it says: it is another matter.
      if (entry.probed !== undefined) this.#refusal = undefined;
      throw error;
    } finally {
      entry.probed?.();
    }
  }

  /** Once more after a refusal, if there is something else to enter with. */
  async #perform<T>(request: (transport: KubeTransport) => Promise<T>): Promise<T> {
    const first = await this.#tryOnce(request);
    const last = 'answer' in first ? first : await this.#tryOnce(request);
    if ('answer' in last) return last.answer;
    throw stillRefused(last.refused, this.server);
  }

  /** Looks at the source until something may be asked of the server again. */
  async #untilAdmitted(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !this.#isClosed) {
      await this.#probe;
      await this.#look();
      const refusal = this.#refusal;
      if (refusal === undefined ? this.#current !== undefined : this.#mayProbe(refusal)) return;
      const untilAsked = refusal === undefined ? Number.POSITIVE_INFINITY : refusal.askAt - this.#now;
      await sleep(Math.max(shortestMilliseconds, Math.min(this.#untilLook, untilAsked)), signal);
    }
  }
}
