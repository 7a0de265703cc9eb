import { describe, expect, it } from 'vitest';
import { registrations } from '../../../lib/clusters/registrations.ts';
import type { Registration } from '../../../lib/state/clusters.ts';

const at = (context: string): Registration => ({ access: 'kubeconfig', path: '/kubeconfig', context });

/** A table that answers one thing after another, and a clock. */
const begin = (...answers: readonly (Registration | undefined | Error)[]) => {
  let reads = 0;
  let now = 0;
  const known = registrations(
    {
      registration: async () => {
        const answer = answers[Math.min(reads++, answers.length - 1)];
        if (answer instanceof Error) throw answer;
        return answer;
      },
    },
    () => new Date(now),
  );
  return { known, reads: () => reads, later: (seconds: number) => (now += seconds * 1000) };
};

describe('a registration', () => {
  it('is read once by many, and again after a minute at most', async () => {
    const { known, reads, later } = begin(at('a'), at('b'));
    await Promise.all([known.get('one'), known.get('one')]);
    later(59);
    expect(await known.get('one')).toEqual(at('a'));
    expect(reads()).toBe(1);
    later(1);
    expect(await known.get('one')).toEqual(at('b'));
  });

  it('that is missing is looked for again after seconds: somebody is about to register', async () => {
    const { known, later } = begin(undefined, at('a'));
    expect(await known.get('one')).toBeUndefined();
    later(5);
    expect(await known.get('one')).toEqual(at('a'));
  });

  it('that could not be read is asked for at once again', async () => {
    const { known } = begin(new Error('table away'), at('a'));
    await expect(known.get('one')).rejects.toThrow('table away');
    expect(await known.get('one')).toEqual(at('a'));
  });

  it('that is known outlasts an outage of the table by an hour: its relay is no stranger meanwhile', async () => {
    const { known, later } = begin(at('a'), new Error('table away'));
    await known.get('one');
    later(3600);
    expect(await known.get('one')).toEqual(at('a'));
    await expect(known.read('one')).rejects.toThrow('table away');
    later(1);
    await expect(known.get('one')).rejects.toThrow('table away');
  });

  it('that was removed is not believed in an outage', async () => {
    const { known, later } = begin(at('a'), undefined, new Error('table away'));
    await known.get('one');
    later(60);
    expect(await known.get('one')).toBeUndefined();
    later(5);
    await expect(known.get('one')).rejects.toThrow('table away');
  });

  it('is forgotten when five hundred others were asked for since', async () => {
    const { known, reads } = begin(at('a'));
    await known.get('first');
    for (let index = 0; index < 500; index += 1) await known.get(`cluster-${index}`);
    expect(reads()).toBe(501);
    await known.get('first');
    expect(reads()).toBe(502);
  });
});
