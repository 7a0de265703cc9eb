/** As fair.ts on AWS, which is not here, and with more Images than a real API server takes in minutes: the handlers' code in virtual time (test/support/virtual-installation.ts). */
import { type VirtualOptions, virtualInstallation } from '../../support/virtual-installation.ts';
import { atMost, type Row, round } from '../row.ts';

const goalSeconds = 2;
const hour = 3600;

/** `many` Images of one namespace: made at once, found by a start that knows nothing of them, and under a new stack. */
export const fairSimulated = async (many: number, on: VirtualOptions['on']): Promise<readonly Row[]> => {
  const world = await virtualInstallation({ on });
  const rows: Row[] = [];

  /** What others wait after so many seconds each, and how long it took until `isDone`. */
  const measure = async (what: string, isDone: () => boolean, seen?: string): Promise<void> => {
    const began = world.time.now;
    const waits: number[] = [];
    for (const gap of [0, 1, 3, 10]) {
      await world.time.pass(gap);
      waits.push(await world.oneOfAnother(seen));
    }
    await world.time.pass(hour, isDone);
    const seconds = (world.time.now - began) / 1000;
    const most = Math.max(...waits);
    rows.push({
      measure: `simulated on ${on}${on === 'AWS' ? ', 50 invocations at once' : ''}: beside ${what}`,
      measured: `${round(most)} s at most of ${waits.length}; the many took ${round(seconds)} s, ${round(many / seconds)}/s`,
      ...atMost(goalSeconds, ' s', most),
      figures: { most, seconds, perSecond: many / seconds },
    });
  };

  try {
    world.apply(
      'many',
      Array.from({ length: many }, (_, at) => `app-${at}`),
    );
    await measure(`${many} Images made at once`, () => world.done('many') === many);
    await world.time.pass(hour, () => world.held() === 0);
    void Promise.all([world.list('Image', 'e.1'), world.list('Build', 'e.1')]);
    await measure(`a start that finds ${many} Images`, () => world.held() === 0);
    void world.setBuilder('v2');
    await world.time.pass(hour, () => world.done('many', 'v2') > 0);
    await measure(`a stack change over ${many} Images`, () => world.done('many', 'v2') === many, 'v2');
    return rows;
  } finally {
    await world.stop();
  }
};
