/** What it costs to look when nothing has changed. */
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { startDynamoDb } from '../../../infra/local/dynamodb.ts';
import { watchedKinds } from '../../../lib/relay/pointers.ts';
import { checkpointSortKey, clusterKey } from '../../../lib/state/keys.ts';
import { Table } from '../../../lib/state/table.ts';
import { isWrite } from '../audit.ts';
import { namespace } from '../objects.ts';
import { type Row, round } from '../row.ts';
import { type System, startSystem } from '../system.ts';
import { until } from '../wait.ts';
import type { World } from '../world.ts';
import { ofPasses, perImage, untilQuiet } from './fan-out.ts';

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

/** Else the watch tells of the last minute again, children included, and those are never skipped. */
const forgetCheckpoints = async ({ folder }: World): Promise<void> => {
  const database = await startDynamoDb({ path: join(folder, 'dynamodb') });
  const client = new DynamoDBClient({ ...database.client, requestHandler: database.requestHandler });
  const table = new Table(client, 'kpackless');
  for (const { kind } of watchedKinds) await table.delete(clusterKey('bench'), checkpointSortKey(kind));
  client.destroy();
  await database.close();
};

/** Starts kpackless anew: it lists everything, and what has not changed since costs no request. Gives the new process. */
export const restart = async (
  world: World,
  system: System,
): Promise<{ readonly row: Row; readonly system: System }> => {
  await system.stop();
  await forgetCheckpoints(world);
  const audit = world.audit();
  const started = await startSystem(world);
  const seen: string[] = [];
  let last = performance.now();
  await until(
    'the end of the list',
    () => {
      const fresh = started.passes();
      if (fresh.length > 0) last = performance.now();
      seen.push(...fresh.map(({ result }) => result));
      return performance.now() - last > 1500 ? true : undefined;
    },
    { seconds: 60, everyMs: 100 },
  );
  const skipped = seen.filter((result) => result === 'skipped').length;
  const requests = ofPasses(audit.next()).length;
  const ran = seen.length - skipped;
  return {
    system: started,
    row: {
      measure: 'a wake-up that is skipped (all objects listed by a restart)',
      measured: `${skipped} skipped, ${ran} not; ${requests} API requests by passes`,
      goal: '0 requests',
      reached: skipped > 0 && requests === 0,
      figures: { skipped, ran, requests },
    },
  };
};
