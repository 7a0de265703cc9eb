/** Whether the cost of an Image is the same however many there are at once. */
import { linearRow } from '../ratios.ts';
import type { Row } from '../row.ts';
import type { System } from '../system.ts';
import type { World } from '../world.ts';
import { burst, untilQuiet } from './fan-out.ts';

const counts = [300, 1000, 3000];

/** Ever more Images at once, each time when the ones before have become quiet. */
export const linear = async (world: World, { pid }: System, say: (line: string) => void): Promise<Row> => {
  const rates: { readonly images: number; readonly perSecond: number }[] = [];
  for (const images of counts) {
    say(`linear: ${images} Images at once`);
    const audit = world.audit();
    const names = Array.from({ length: images }, (_, index) => `of-${images}-${index}`);
    const { perSecond } = await burst(world, pid, audit, names);
    rates.push({ images, perSecond });
    await untilQuiet(audit, 3000, 300);
  }
  return linearRow(rates);
};
