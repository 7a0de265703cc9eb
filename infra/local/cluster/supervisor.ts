import { ExpectedError } from '../../../lib/errors/expected.ts';
import { type ProcessSpec, type RunningProcess, startProcess } from './process.ts';
import type { Report } from './report.ts';
import type { StateLayout } from './state.ts';

/** All programs of one cluster, each known by its name, so that any can be stopped for a while: to measure without it or to see what its loss does. */
export class Supervisor {
  readonly #layout: StateLayout;
  readonly #report: Report;
  /** In the order of their first start. */
  readonly #programs = new Map<
    string,
    { readonly spec: ProcessSpec; readonly process: RunningProcess; readonly stopped: boolean }
  >();

  constructor(layout: StateLayout, report: Report) {
    this.#layout = layout;
    this.#report = report;
  }

  /** @throws ExpectedError when a program of that name runs. */
  run(spec: ProcessSpec): RunningProcess {
    if (this.#programs.get(spec.name)?.stopped === false)
      throw new ExpectedError(`a program named ${spec.name} runs already`);
    const process = startProcess(this.#layout, spec, this.#report);
    this.#programs.set(spec.name, { spec, process, stopped: false });
    return process;
  }

  /** Ends one program; it can be started again. */
  async stop(name: string): Promise<void> {
    const program = this.#find(name);
    await program.process.stop();
    this.#programs.set(name, { ...program, stopped: true });
  }

  /** Starts a stopped program as it was started before. */
  start(name: string): RunningProcess {
    return this.run(this.#find(name).spec);
  }

  /** Whether it was started and not stopped since. */
  isStarted(name: string): boolean {
    return this.#programs.get(name)?.stopped === false;
  }

  /** Ends all, the last started first, so that nobody reports the loss of what it depends on. */
  async stopAll(): Promise<void> {
    for (const { process } of [...this.#programs.values()].toReversed()) await process.stop();
  }

  /** @throws ExpectedError with the last words of a program that ended although nobody stopped it. */
  assertRunning(): void {
    for (const { process } of this.#programs.values()) process.assertRunning();
  }

  #find(name: string) {
    const program = this.#programs.get(name);
    if (program === undefined)
      throw new ExpectedError(`no program is named ${name}; there are ${[...this.#programs.keys()].join(', ')}`);
    return program;
  }
}
