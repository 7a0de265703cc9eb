/** Whatever is sent, received, deleted, extended or abandoned: order and locking of groups hold. */

import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { Queue } from '../../../emulators/sqs/queue.ts';
import { defaultAttributes, settingsFrom } from '../../../emulators/sqs/settings.ts';

type Step =
  | { readonly do: 'send'; readonly group: number }
  | { readonly do: 'receive'; readonly max: number; readonly visibilitySeconds: number }
  | { readonly do: 'delete' | 'giveBack'; readonly which: number }
  | { readonly do: 'wait'; readonly seconds: number };

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant('send' as const), group: fc.nat(3) }),
    fc.record({
      do: fc.constant('receive' as const),
      max: fc.integer({ min: 1, max: 10 }),
      visibilitySeconds: fc.integer({ min: 1, max: 20 }),
    }),
    fc.record({ do: fc.constantFrom('delete' as const, 'giveBack' as const), which: fc.nat(5) }),
    fc.record({ do: fc.constant('wait' as const), seconds: fc.nat(15) }),
  ),
  { maxLength: 80 },
);

interface Held {
  readonly handle: string;
  readonly group: string;
  readonly number: number;
  readonly until: number;
}

it('a receive takes the oldest living messages of groups that nobody holds, in order and without gaps', () => {
  fc.assert(
    fc.property(steps, (script) => {
      const queue = new Queue(settingsFrom(defaultAttributes(true)), { changed: () => {}, giveUp: () => false });
      let now = 0;
      let sent = 0;
      const violations: string[] = [];
      let held: Held[] = [];
      const living = new Map<string, number[]>();
      for (const step of script) {
        held = held.filter(({ until }) => until > now);
        if (step.do === 'wait') {
          now += step.seconds * 1000;
        } else if (step.do === 'send') {
          sent += 1;
          const groupId = `g${step.group}`;
          const body = String(sent);
          queue.send({ body, attributes: {}, senderId: '', groupId, deduplicationId: body }, now);
          living.set(groupId, [...(living.get(groupId) ?? []), sent]);
        } else if (step.do === 'receive') {
          const busy = new Set(held.map(({ group }) => group));
          const taken = new Map<string, number[]>();
          for (const { message, receiptHandle } of queue.receive(step, now)) {
            const group = message.groupId ?? '';
            const number = Number(message.body);
            if (busy.has(group)) violations.push(`group ${group} gave out ${number} while it was held`);
            taken.set(group, [...(taken.get(group) ?? []), number]);
            held.push({ handle: receiptHandle, group, number, until: now + step.visibilitySeconds * 1000 });
          }
          for (const [group, numbers] of taken) {
            const oldest = living.get(group)?.slice(0, numbers.length) ?? [];
            if (numbers.join() !== oldest.join()) violations.push(`received ${numbers.join()}, not ${oldest.join()}`);
          }
          const free = [...living].filter(([group, numbers]) => numbers.length > 0 && !busy.has(group));
          const available = free.reduce((sum, [, numbers]) => sum + numbers.length, 0);
          const count = [...taken.values()].flat().length;
          if (count !== Math.min(step.max, available)) violations.push(`${count} of ${available} available`);
        } else {
          const one = held[step.which];
          if (one === undefined) continue;
          held.splice(step.which, 1);
          if (step.do === 'giveBack') {
            queue.changeVisibility(one.handle, 0, now);
          } else {
            queue.delete(one.handle, now);
            living.set(
              one.group,
              (living.get(one.group) ?? []).filter((number) => number !== one.number),
            );
          }
        }
      }
      expect(violations).toEqual([]);
    }),
    { numRuns: 300 },
  );
});
