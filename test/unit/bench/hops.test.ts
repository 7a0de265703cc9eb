/** The hops of an Image to its pod, as its passes tell. */
import { expect, it } from 'vitest';
import { chainName, commonChain, hopsOf } from '../../bench/hops.ts';
import type { PassLine } from '../../bench/system.ts';

const pass = (kind: string, name: string, at: number, ms: number, result = 'again'): PassLine => ({
  at,
  kind,
  namespace: 'sample',
  name,
  result,
  messages: 1,
  ms,
});

const passes = [
  pass('Build', 'app-build-1', 180, 20),
  pass('Image', 'app', 130, 20),
  pass('SourceResolver', 'app-source', 150, 10, 'settled'),
  pass('Image', 'app', 155, 2, 'skipped'),
  pass('Image', 'app-2', 140, 5),
  pass('Image', 'app', 300, 30),
];

it("are its passes and its children's, in order, up to the pod; neither skipped wake-ups nor others' passes count", () => {
  expect(hopsOf(passes, 'app', 100, 175)).toStrictEqual([
    { name: 'Image again', waited: 10, took: 20 },
    { name: 'SourceResolver settled', waited: 10, took: 10 },
    { name: 'Build again', waited: 10, took: 20 },
  ]);
});

it('of a pass that began before its child was ready no time is counted twice', () => {
  expect(
    hopsOf([pass('Image', 'app', 130, 20), pass('Build', 'app-build-1', 140, 15)], 'app', 100, 140)[1],
  ).toMatchObject({ waited: 0, took: 15 });
});

it('are named by the chain that most Images took, with the middle of its times', () => {
  const chain = (waited: number) => [
    { name: 'Image again', waited, took: 1 },
    { name: 'Build again', waited, took: 2 },
  ];
  const { hops, taken } = commonChain([chain(1), chain(5), chain(9), [{ name: 'Image failed', waited: 0, took: 0 }]]);
  expect([chainName(hops), taken, hops[0]?.waited]).toStrictEqual(['Image again → Build again', 3, 5]);
});

it('of nobody are none', () => {
  expect(commonChain([])).toStrictEqual({ hops: [], taken: 0 });
});
