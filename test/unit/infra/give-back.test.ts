/** When the standalone process gives back what a busy time has left behind. */
import { describe, expect, it } from 'vitest';
import { giveBackAtRest, isRestAfterWork } from '../../../infra/standalone/give-back.ts';
import { standaloneNode } from '../../../infra/standalone/node.ts';

describe('garbage is collected', () => {
  it.each([
    ['after its start, as soon as it rests', Number.POSITIVE_INFINITY, 20, true],
    ['after a second of work, once less than a tenth of the time is worked', 1000, 100, true],
    ['not while there is work', 60_000, 101, false],
    ['not after next to nothing: a collection costs as much as some Images', 999, 0, false],
  ])('%s', (_when, sinceCollection, sinceLook, isTime) => {
    expect(isRestAfterWork(sinceCollection, sinceLook, 1000)).toBe(isTime);
  });

  it('where Node is started as the program is: nothing is looked at without the flag', () => {
    expect(standaloneNode.flags).toContain('--expose-gc');
    expect(globalThis.gc).toBeUndefined();
    expect(giveBackAtRest()()).toBeUndefined();
  });
});
