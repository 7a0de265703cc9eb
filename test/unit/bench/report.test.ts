/** What `npm run bench` prints: ratios first, each figure beside its goal, and what is missed said so. */
import { describe, expect, it } from 'vitest';
import { benchOptions } from '../../bench/options.ts';
import { linearRow, type PeerFigures, ratioRows } from '../../bench/ratios.ts';
import { atLeast, atMost, type Row, table } from '../../bench/row.ts';

const kpack: PeerFigures = {
  imagesPerSecond: 5,
  p50: 55,
  max: 116,
  cpu: 9,
  serverCpu: 40,
  writes: 8,
  reads: 4,
  idleMb: 96,
  afterMb: 116,
};
const tuned: PeerFigures = { ...kpack, imagesPerSecond: 34.9, p50: 57, cpu: 8.7, serverCpu: 42, writes: 10 };
const judged = (ours: PeerFigures) => ratioRows({ ours, kpack, tuned }).map(({ reached }) => reached);

describe('beside kpack', () => {
  it('the goals are met by what the design asks for', () => {
    const ours = { ...kpack, imagesPerSecond: 53, p50: 44, cpu: 8.7, serverCpu: 28, writes: 5 };
    expect(judged(ours)).toStrictEqual([true, true, true, true, true, undefined, undefined]);
  });

  it('and missed by what is a little worse in each', () => {
    const ours = { ...kpack, imagesPerSecond: 39, p50: 45, cpu: 8.8, serverCpu: 29, writes: 5 };
    expect(judged(ours)).toStrictEqual([false, false, false, false, false, undefined, undefined]);
  });

  it('each ratio shows the three figures that it is made of', () => {
    const [first] = ratioRows({ ours: { ...kpack, imagesPerSecond: 26.1 }, kpack, tuned });
    expect(first?.measured).toBe('0.75× (26.1/s; kpack 5/s; tuned 34.9/s)');
  });
});

describe('many Images at once', () => {
  const rates = (...perSecond: readonly number[]) =>
    perSecond.map((each, index) => ({ images: [300, 1000, 3000][index] ?? 0, perSecond: each }));

  it.each([
    [[40, 40, 34], true],
    [[40, 40, 33.9], false],
    [[33.9, 36, 40], false],
  ])('at %j a second are even within 15%%: %s', (perSecond, reached) => {
    expect(linearRow(rates(...perSecond)).reached).toBe(reached);
  });

  it('says all rates', () => {
    expect(linearRow(rates(40, 38, 36))).toMatchObject({
      measure: '300, 1,000, 3,000 Images at once: slowest of fastest',
      measured: '90% (40, 38, 36/s)',
    });
  });
});

describe('the table', () => {
  const row = (measure: string, more: Partial<Row> = {}): Row => ({ measure, measured: '1', figures: {}, ...more });

  it('has ratios first, and the others in their order', () => {
    const lines = table([row('a'), row('b', { ratio: true }), row('c'), row('d', { ratio: true })]).split('\n');
    expect(lines.slice(2).map((line) => line[0])).toStrictEqual(['b', 'd', 'a', 'c']);
  });

  it('marks what is missed', () => {
    const text = table([row('a', atMost(9, ' ms', 9)), row('b', atLeast(52, '/s', 51.9)), row('c')]);
    expect(text.split('\n').slice(2)).toStrictEqual([
      'a        1         ≤ 9 ms                         ok',
      'b        1         ≥ 52/s                         MISSED',
      'c        1',
    ]);
  });
});

describe('the command line', () => {
  it('leaves out what takes minutes, and kpack where it is not built', () => {
    const only = (hasKpack: boolean) => [...benchOptions({ args: [], environment: {} }, hasKpack).only];
    expect(only(false)).not.toContain('linear');
    expect(only(false)).not.toContain('kpack');
    expect(only(true)).toContain('kpack');
    expect([...benchOptions({ args: ['--only', 'linear,kpack'], environment: {} }, false).only]).toStrictEqual([
      'linear',
      'kpack',
    ]);
  });

  it('says what it does not know', () => {
    expect(() => benchOptions({ args: ['--only', 'speed'], environment: {} }, false)).toThrow('--only knows no speed');
    expect(() => benchOptions({ args: ['--rounds', '0'], environment: {} }, false)).toThrow(
      '--rounds needs a number from 1',
    );
  });
});
