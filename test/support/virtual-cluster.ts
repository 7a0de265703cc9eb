/** A cluster in virtual time: an API server that answers so many requests a second and no more, and the routing of the relay that watches it. */
import type { KubeClient } from '../../lib/kube/client.ts';
import type { KubeObject } from '../../lib/kube/object.ts';
import { pauseSeconds } from '../../lib/kube/watch-times.ts';
import { Bursts } from '../../lib/queue/bursts.ts';
import { QueueError, type Sender } from '../../lib/queue/send.ts';
import { pointersFor, type Routed, type WatchedKind, watchedKinds } from '../../lib/relay/pointers.ts';
import { inTurn } from '../../lib/relay/straight-or-bulk.ts';
import { FakeKube } from './fake-kube.ts';
import type { VirtualTime } from './virtual-time.ts';

export const cluster = 'one';
export const epoch = 'e.0';
/** What an answer takes beside its turn, and an event to the relay; milliseconds. */
const answerMilliseconds = 3;
const watchMilliseconds = 10;
const listPage = 250;

const watchedKind = (kind: string): WatchedKind | undefined => watchedKinds.find((one) => one.kind === kind);

/** What differs from run to run. */
export interface VirtualClusterOptions {
  readonly requestsPerSecond: number;
  /** Whether its relay marks what goes in bulk; one of an older version does not. */
  readonly isFair: boolean;
}

/** The API server and its relay. */
export class VirtualCluster {
  readonly kube = new FakeKube();
  requests = 0;
  readonly #time: VirtualTime;
  readonly #sender: Sender;
  readonly #options: VirtualClusterOptions;
  readonly #bursts = new Bursts();
  /** Events that the relay has read and not sent, by kind. */
  readonly #pending = new Map<string, Routed[]>();
  #busyUntil = 0;

  constructor(time: VirtualTime, sender: Sender, options: VirtualClusterOptions) {
    this.#time = time;
    this.#sender = sender;
    this.#options = options;
  }

  /** As passes see it: as much of it as stand-ins ask for. */
  readonly client = {
    get: async <T extends KubeObject>(key: Parameters<KubeClient['get']>[0]) => {
      await this.ask();
      return this.kube.get<T>(key);
    },
    create: <T extends KubeObject>(object: T) => this.write(() => this.kube.create(object), true),
    replaceStatus: <T extends KubeObject>(object: T) => this.write(() => this.kube.replaceStatus(object)),
  } as unknown as KubeClient;

  /** One request, behind those before it, whoever asked. */
  async ask(): Promise<void> {
    this.requests += 1;
    this.#busyUntil = Math.max(this.#busyUntil, this.#time.now) + 1000 / this.#options.requestsPerSecond;
    await this.#time.sleep(this.#busyUntil - this.#time.now + answerMilliseconds);
    this.kube.now = new Date(this.#time.now);
  }

  /** A request that changes something, of which the relay hears. */
  async write<T extends KubeObject>(change: () => T | Promise<T>, added = false): Promise<T> {
    await this.ask();
    const object = await change();
    this.#time.at(this.#time.now + watchMilliseconds, () => this.#hear(object, added));
    return object;
  }

  #hear({ kind = '', metadata = {} }: KubeObject, added: boolean): void {
    const watched = watchedKind(kind);
    if (watched === undefined) return;
    const isSending = this.#pending.has(kind);
    const lot = this.#pending.get(kind) ?? [];
    lot.push(...pointersFor(watched, metadata, { cluster, epoch }, undefined, { added }));
    this.#pending.set(kind, lot);
    if (!isSending) void this.#send(kind);
  }

  /** Each lot is accepted before the next is read. */
  async #send(kind: string): Promise<void> {
    for (let lot = this.#pending.get(kind) ?? []; lot.length > 0; lot = this.#pending.get(kind) ?? []) {
      this.#pending.set(kind, []);
      const { now } = this.#time;
      const routed = this.#options.isFair ? lot.map((one) => inTurn(this.#bursts, now, one)) : lot;
      for (let failures = 1; ; failures += 1)
        try {
          await this.#toQueues(routed);
          break;
        } catch (error) {
          if (!(error instanceof QueueError)) throw error;
          // As the reflector, which goes on from where it was.
          await this.#time.sleep(pauseSeconds(failures, 1) * 1000);
        }
    }
    this.#pending.delete(kind);
  }

  async #toQueues(routed: readonly Routed[]): Promise<void> {
    for (const [queue, all] of Map.groupBy(routed, (one) => one.queue))
      await this.#sender.send(
        queue,
        all.map(({ message }) => message),
      );
  }

  /** Tells of everything of a kind as a relay that starts; in a new epoch nothing of it is known. */
  async list(kind: 'Image' | 'Build', inEpoch = epoch): Promise<void> {
    const watched = watchedKind(kind);
    if (watched === undefined) throw new Error(`${kind} is not watched`);
    const all = this.kube.all(kind);
    const occasion = `9@${this.#time.now}`;
    for (let at = 0; at < all.length; at += listPage) {
      await this.ask();
      const page = all.slice(at, at + listPage);
      await this.#toQueues(
        page.flatMap(({ metadata }) => pointersFor(watched, metadata, { cluster, epoch: inEpoch }, occasion)),
      );
    }
  }
}
