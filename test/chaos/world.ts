/** Everything around an installation: time, a cluster with its controllers and nodes, a registry, a git host, and the processes that live and die. */
import type { Log } from '../../lib/reconcile/log.ts';
import type { TargetKey } from '../../lib/state/keys.ts';
import { Calls, InjectedBug } from './calls.ts';
import { ApiServer } from './cluster/api-server.ts';
import { collectGarbage } from './cluster/garbage-collector.ts';
import { runPods } from './cluster/kubelet.ts';
import { ClusterStore } from './cluster/store.ts';
import type { Dice } from './dice.ts';
import type { FaultSource } from './faults.ts';
import { GitHost } from './git-host.ts';
import { ChaosRegistry } from './registry.ts';
import { Trace } from './trace.ts';
import { type Life, VirtualTime } from './virtual-time.ts';

/** The name that the cluster is registered under. */
export const cluster = 'chaos';

/** Passes of all objects, counted. */
export class Passes {
  readonly counts = new Map<string, number>();
  readonly results = new Map<string, number>();
  count = 0;

  begin({ kind, namespace, name }: TargetKey): void {
    const key = `${kind} ${namespace}/${name}`;
    this.count += 1;
    this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
  }

  end({ kind }: TargetKey, result: string): void {
    const key = `${kind} ${result}`;
    this.results.set(key, (this.results.get(key) ?? 0) + 1);
  }

  byKind(): ReadonlyMap<string, number> {
    const kinds = [...Map.groupBy(this.results, ([key]) => key.split(' ')[0] ?? '')];
    return new Map(kinds.map(([kind, all]) => [kind, all.reduce((sum, [, count]) => sum + count, 0)]));
  }

  forget(): void {
    this.counts.clear();
  }
}

/** The world of one run. */
export class World {
  readonly dice: Dice;
  readonly trace: Trace;
  readonly time: VirtualTime;
  readonly calls: Calls;
  readonly store: ClusterStore;
  readonly api: ApiServer;
  readonly registry: ChaosRegistry;
  readonly git: GitHost;
  readonly passes = new Passes();
  readonly startMs: number;
  /** What no run may show, as sentences. */
  readonly violations: string[] = [];
  hasDeadLetters: () => boolean = () => false;
  died: (life: Life) => void = () => undefined;
  readonly #deaths = new Map<Life, Set<() => void>>();
  readonly #brokenUntil = new Map<string, number>();
  readonly #garbage: ReturnType<typeof collectGarbage>;
  readonly #pods: ReturnType<typeof runPods>;

  constructor(dice: Dice, faults: FaultSource) {
    this.dice = dice;
    this.trace = new Trace();
    this.time = new VirtualTime(dice);
    this.startMs = this.time.now;
    this.calls = new Calls(this.time, dice, faults, this.trace);
    this.calls.kill = (life) => this.kill(life);
    this.store = new ClusterStore(() => this.time.now);
    const { time, calls, store } = this;
    this.api = new ApiServer({ time, dice, calls, store });
    this.registry = new ChaosRegistry(calls);
    this.git = new GitHost(calls);
    this.#garbage = collectGarbage(store, time, dice);
    this.#pods = runPods({
      time,
      dice,
      store,
      builds: {
        isGood: ({ source }) => this.git.isGood(source.git?.revision ?? ''),
        export: (build) => this.registry.export(build),
      },
    });
  }

  /** Milliseconds since the run began. */
  get elapsed(): number {
    return this.time.now - this.startMs;
  }

  newLife(role: string): Life {
    return { role, bornMs: this.time.now, isAlive: true, skewMs: 0 };
  }

  /** Ends a process: nothing of it goes on. */
  kill(life: Life): void {
    if (!life.isAlive) return;
    life.isAlive = false;
    this.calls.note(`${life.role} died`);
    const told = this.#deaths.get(life) ?? new Set();
    this.#deaths.delete(life);
    this.time.as(undefined, () => {
      for (const tell of told) tell();
      this.died(life);
    });
  }

  /** Tells of a death; what this gives takes that back. */
  whenDead(life: Life, tell: () => void): () => void {
    const told = this.#deaths.get(life) ?? new Set();
    told.add(tell);
    this.#deaths.set(life, told);
    return () => void told.delete(tell);
  }

  /** A function fails at each invocation for so long. */
  breakFunction(queue: string, seconds: number): void {
    this.#brokenUntil.set(queue, this.time.now + seconds * 1000);
  }

  /** @throws InjectedBug while it is broken */
  expectWorking(queue: string): void {
    if ((this.#brokenUntil.get(queue) ?? 0) > this.time.now) throw new InjectedBug(`function ${queue} is broken`);
  }

  /** The store is as it was, and the controllers and nodes go by it. */
  travel(seconds: number): void {
    this.api.restore(seconds);
    this.#garbage.lookAtAll();
    this.#pods.takeUp();
  }

  violate(sentence: string): void {
    if (this.violations.includes(sentence)) return;
    this.violations.push(sentence);
    this.calls.note('VIOLATION', sentence);
  }

  /** What processes say: kept for the trace, and looked at for what only a bug of the product says. */
  logOf({ role }: Life): Log {
    return (level, what, fields = {}) => {
      const { why = '' } = fields;
      if (level === 'info') return;
      const text = typeof why === 'string' ? why : JSON.stringify(why);
      const { kind = '', namespace = '', name = '' } = fields as Readonly<Record<string, string>>;
      this.calls.note(`${role}: ${what} ${kind} ${namespace}/${name}`, text.split('\n')[0]);
      const isOurs = text.includes('InjectedBug') || text.includes('Died') || text.includes('disk is full');
      const isBug = what === 'pass threw' || what.startsWith('message is');
      if (isBug && !isOurs)
        this.violate(`a pass failed by itself (${kind} ${namespace}/${name}): ${text.slice(0, 600)}`);
    };
  }
}
