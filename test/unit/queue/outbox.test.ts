/** Batches are full when much waits, and at once when nothing does; the order of a group is nobody's to break (DESIGN §3.2). */
import { describe, expect, it } from 'vitest';
import { Outbox } from '../../../lib/queue/outbox.ts';

interface Letter {
  readonly group: string;
  readonly text: string;
}
const letter = (group: string, text = group): Letter => ({ group, text });
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** An outbox whose calls end when a test says so. */
const outbox = () => {
  const calls: { readonly texts: readonly string[]; end(refused?: readonly string[]): Promise<void> }[] = [];
  const box = new Outbox<Letter>(
    (batch, accepted) =>
      new Promise((resolve, reject) => {
        calls.push({
          texts: batch.map(({ text }) => text),
          end: (refused = []) => {
            for (const entry of batch) if (!refused.includes(entry.text)) accepted(entry);
            if (refused.length === 0) resolve();
            else reject(new Error(`refused ${refused.join()}`));
            return turn();
          },
        });
      }),
  );
  return { box, calls };
};
/** What became of a sending. */
const outcome = (sent: Promise<void>) => {
  const state = { is: 'under way' };
  const follow = async (): Promise<void> => {
    state.is = await sent.then(() => 'accepted', String);
  };
  void follow();
  return state;
};

describe('an outbox', () => {
  it('sends at once, and together what came in one moment from several', async () => {
    const { box, calls } = outbox();
    void box.add([letter('a')]);
    void box.add([letter('b')]);
    await turn();
    expect(calls.map(({ texts }) => texts)).toStrictEqual([['a', 'b']]);
  });

  it('fills its batches while calls are under way, and sends what is left when one ends', async () => {
    const { box, calls } = outbox();
    for (const name of ['a', 'b', 'c', 'd']) {
      void box.add([letter(name)]);
      await turn();
    }
    expect(calls.map(({ texts }) => texts)).toStrictEqual([['a'], ['b']]);
    await calls[0]?.end();
    expect(calls[2]?.texts).toStrictEqual(['c', 'd']);
    void box.add(Array.from({ length: 25 }, (_, index) => letter(`e${index}`)));
    await turn();
    expect(calls.slice(3).map(({ texts }) => texts.length)).toStrictEqual([10, 10]);
  });

  it('has eight calls under way at most', async () => {
    const { box, calls } = outbox();
    void box.add(Array.from({ length: 1000 }, (_, index) => letter(`a${index}`)));
    await turn();
    expect(calls).toHaveLength(8);
  });

  it('sends the next of a group when the one before it is accepted, whoever sent it, and not before', async () => {
    const { box, calls } = outbox();
    const first = outcome(box.add([letter('a', 'a1'), letter('a', 'a2')]));
    const second = outcome(box.add([letter('a', 'a3'), letter('b')]));
    await turn();
    await turn();
    expect(calls.map(({ texts }) => texts)).toStrictEqual([['a1', 'b']]);
    await calls[0]?.end();
    expect(calls[1]?.texts).toStrictEqual(['a2']);
    await calls[1]?.end();
    expect([first.is, second.is, calls[2]?.texts]).toStrictEqual(['accepted', 'under way', ['a3']]);
    await calls[2]?.end();
    expect(second.is).toBe('accepted');
  });

  it('lets fail whoever sent what is refused, and what would overtake it, and nobody else', async () => {
    const { box, calls } = outbox();
    const refused = outcome(box.add([letter('a', 'a1')]));
    const behind = outcome(box.add([letter('a', 'a2'), letter('c')]));
    const beside = outcome(box.add([letter('b')]));
    await turn();
    await calls[0]?.end(['a1']);
    expect([refused.is, behind.is, beside.is]).toStrictEqual(['Error: refused a1', 'Error: refused a1', 'accepted']);
    const again = outcome(box.add([letter('a', 'a1 again')]));
    await turn();
    await calls[1]?.end();
    expect([again.is, calls.length]).toStrictEqual(['accepted', 2]);
  });
});
