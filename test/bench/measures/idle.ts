/** What it costs to look when nothing has changed. */
import { isWrite } from '../audit.ts';
import { namespace } from '../objects.ts';
import { type Row, round } from '../row.ts';
import type { World } from '../world.ts';
import { perImage, untilQuiet } from './fan-out.ts';

const sample = 20;

/** Wakes objects by an annotation that means nothing. */
const wakeAll = async (world: World, kind: string, names: readonly string[]): Promise<Row> => {
  const audit = world.audit();
  for (const name of names)
    await world.kube.patch(
      { kind, namespace, name },
      { metadata: { annotations: { 'bench.kpackless.dev/at': String(performance.now()) } } },
    );
  const requests = await untilQuiet(audit, 1000);
  const writes = requests.filter(isWrite).length / names.length;
  const reads = requests.length / names.length - writes;
  return {
    measure: `a pass of ${kind} that changes nothing`,
    measured: `${round(reads)} reads, ${round(writes)} writes: ${perImage(requests, names.length)}`,
    goal: '≤ 5 reads, 0 writes',
    reached: reads <= 5 && writes === 0,
    figures: { reads, writes },
  };
};

/** Passes that change nothing, by kind. */
export const unchanged = async (world: World, images: readonly string[]): Promise<readonly Row[]> => {
  const names = images.slice(0, sample);
  return [
    await wakeAll(world, 'Image', names),
    await wakeAll(
      world,
      'SourceResolver',
      names.map((name) => `${name}-source`),
    ),
    await wakeAll(
      world,
      'Build',
      names.map((name) => `${name}-build-1`),
    ),
  ];
};
