/** Starts the standalone program for the cluster at the given URL, says its process id and waits to be killed. */
import { standaloneWorld } from './standalone-run.ts';

const world = await standaloneWorld();
const { pid } = await world.start(process.argv[2] ?? '');
process.stdout.write(`${pid}\n`);
