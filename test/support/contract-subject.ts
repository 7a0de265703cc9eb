/** One contract, several implementations: ours, independent ones, the real service. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** One sentence about the service and the steps that show it; throws when it does not hold. */
export interface ContractCheck<W> {
  readonly name: string;
  readonly run: (world: W) => Promise<void>;
}

/** A running subject, or one line saying why it cannot run here. */
type Opened<W> = { readonly world: W; readonly close: () => Promise<void> } | { readonly missing: string };

/** An implementation under the contract. */
export interface Subject<W> {
  readonly name: string;
  readonly open: () => Promise<Opened<W>>;
  /**
   * Checks it is known to fail, with the reason. They have to go on failing, so that an entry which is no longer needed is
   * noticed.
   */
  readonly deviations?: Readonly<Record<string, string>>;
  /** Checks that it passes or fails by chance, with the reason: they say nothing about it, and are skipped. */
  readonly unsteady?: Readonly<Record<string, string>>;
}

interface Outcome<W> {
  readonly opened: Opened<W>;
  /** By name of the check. */
  readonly failures: ReadonlyMap<string, Error>;
}

/** Checks running at the same time on one subject: most of them wait for a visibility timeout. */
const atOnce = 16;
const checkDeadlineMs = 40_000;

const withinDeadline = async (run: Promise<void>): Promise<void> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done within ${checkDeadlineMs} ms`)), checkDeadlineMs);
  });
  await Promise.race([run, late]).finally(() => clearTimeout(timer));
};

/**
 * Opens the subject and runs every check on it, many at a time, keeping each failure for the test that asks for it. What fails in the
 * crowd is judged again alone: a check of time may have waited for the others longer than the time it is about.
 */
const judge = async <W>(
  { open, deviations = {}, unsteady = {} }: Subject<W>,
  checks: readonly ContractCheck<W>[],
): Promise<Outcome<W>> => {
  const opened = await open();
  const failures = new Map<string, Error>();
  if ('missing' in opened) return { opened, failures };
  const judgeOne = async ({ name, run }: ContractCheck<W>): Promise<void> => {
    try {
      await withinDeadline(run(opened.world));
      failures.delete(name);
    } catch (error) {
      failures.set(name, error instanceof Error ? error : new Error(String(error)));
    }
  };
  const queue = [...checks];
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await judgeOne(next);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  const expected = { ...deviations, ...unsteady };
  for (const check of checks) if (failures.has(check.name) && !(check.name in expected)) await judgeOne(check);
  return { opened, failures };
};

/** Declares a test for every check and subject; all subjects of a file run side by side. */
export const contract = <W>(checks: readonly ContractCheck<W>[], subjects: readonly Subject<W>[]): void => {
  const outcomes = new Map<string, Outcome<W>>();
  beforeAll(async () => {
    await Promise.all(subjects.map(async (subject) => outcomes.set(subject.name, await judge(subject, checks))));
  }, 300_000);
  afterAll(async () => {
    for (const { opened } of outcomes.values()) if ('close' in opened) await opened.close();
  });

  for (const { name: subject, deviations = {}, unsteady = {} } of subjects) {
    // oxlint-disable-next-line vitest/valid-title -- a subject is named by its caller
    describe(subject, () => {
      it('deviates only in checks that exist', () => {
        const names = new Set(checks.map(({ name }) => name));
        expect(Object.keys({ ...deviations, ...unsteady }).filter((name) => !names.has(name))).toEqual([]);
      });
      for (const { name } of checks) {
        const deviation = deviations[name];
        it(`${name}${deviation === undefined ? '' : ` — not here: ${deviation}`}`, ({ skip }) => {
          const outcome = outcomes.get(subject);
          if (outcome !== undefined && 'missing' in outcome.opened) return skip(outcome.opened.missing);
          if (unsteady[name] !== undefined) return skip(unsteady[name]);
          const failure = outcome?.failures.get(name);
          expect(outcome, `${subject} did not start`).toBeDefined();
          if (deviation === undefined && failure !== undefined) throw failure;
          if (deviation !== undefined && failure === undefined) {
            throw new Error(`${subject} passes this now: take it out of the table of deviations`);
          }
        });
      }
    });
  }
};
