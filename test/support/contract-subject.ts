/** One implementation under a contract suite: ours, an independent one, or AWS. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** One sentence about the service and the steps that show it; throws when it does not hold. */
export interface ContractCheck<W> {
  readonly name: string;
  readonly run: (world: W) => Promise<void>;
}

/** A running subject, or one line saying why it cannot run here. */
export type Opened<W> = { readonly world: W; readonly close: () => Promise<void> } | { readonly missing: string };

/** Checks running at the same time: most of them wait for a visibility timeout. */
const atOnce = 12;

/** Runs all of `tasks`, a few at a time, and keeps each outcome for the test that asks for it. */
const settleAll = async (tasks: ReadonlyMap<string, () => Promise<void>>): Promise<ReadonlyMap<string, Error>> => {
  const failures = new Map<string, Error>();
  const queue = [...tasks];
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [name, run] = next;
      await run().catch((error: unknown) => {
        failures.set(name, error instanceof Error ? error : new Error(String(error)));
      });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return failures;
};

/**
 * Runs the checks over one subject. `deviations` names the checks the subject is known to fail, with the reason: they have to go
 * on failing, so that an entry which is no longer needed is noticed.
 */
export const contract = <W>(
  subject: string,
  checks: readonly ContractCheck<W>[],
  deviations: Readonly<Record<string, string>>,
  open: () => Promise<Opened<W>>,
): void => {
  // oxlint-disable-next-line vitest/valid-title -- a subject is named by its caller
  describe(subject, () => {
    let opened: Opened<W> | undefined;
    let failures: ReadonlyMap<string, Error> = new Map();
    beforeAll(async () => {
      opened = await open();
      if ('missing' in opened) return;
      const { world } = opened;
      failures = await settleAll(new Map(checks.map(({ name, run }) => [name, async () => run(world)])));
    }, 300_000);
    afterAll(async () => {
      if (opened !== undefined && 'close' in opened) await opened.close();
    });

    for (const { name } of checks) {
      const deviation = deviations[name];
      it(`${name}${deviation === undefined ? '' : ` — not here: ${deviation}`}`, ({ skip }) => {
        if (opened === undefined) throw new Error(`${subject} did not start`);
        if ('missing' in opened) return skip(opened.missing);
        const failure = failures.get(name);
        expect(checks.length, 'a suite without checks proves nothing').toBeGreaterThan(0);
        if (deviation === undefined && failure !== undefined) throw failure;
        if (deviation !== undefined && failure === undefined) {
          throw new Error(`${subject} passes this now: take it out of the table of deviations`);
        }
      });
    }
  });
};
