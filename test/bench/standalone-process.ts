/** kpackless in standalone mode as a process that its parent kills: programs outside the project that measure it start it so. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type StandaloneOptions, startStandalone } from '../../infra/standalone/standalone.ts';

/** The options, as JSON; the database by the name of its file, or of a folder that is made for it. */
const { databaseDir, ...options } = JSON.parse(process.argv[2] ?? '') as StandaloneOptions & {
  readonly databaseDir?: string;
};
if (databaseDir !== undefined) mkdirSync(databaseDir, { recursive: true });
const databaseFile = databaseDir === undefined ? options.databaseFile : join(databaseDir, 'kpackless.sqlite');

// The registries of the bench's world are on loopback.
const settings = { KPACKLESS_EGRESS_ALLOW: '127.0.0.1', ...options.settings };
const standalone = await startStandalone({ ...options, databaseFile, settings });
const timer = setInterval(() => {
  if (standalone.notReady().length > 0) return;
  clearInterval(timer);
  process.send?.('ready');
}, 50);
process.once('message', () => {
  clearInterval(timer);
  void standalone.stop().then(() => process.exit(0));
});
process.once('disconnect', () => process.exit(1));
