/** kpackless in standalone mode as a process of its own, as `npm start` runs it; told what to do by its parent. */
import { type StandaloneOptions, startStandalone } from '../../infra/local/standalone/standalone.ts';

const options = JSON.parse(process.argv[2] ?? '') as StandaloneOptions;
const standalone = await startStandalone(options);
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
