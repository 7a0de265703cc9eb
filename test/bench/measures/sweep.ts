/** Very much that is due at once: processor time of the sweeper's code and clients, turned into minutes under the share that its memory buys on Lambda. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { serveDue } from '../due-services.ts';
import { atMost, type Row, round } from '../row.ts';

/** Memory, in MB, that buys one whole processor (AWS Lambda, "Configuring memory"). */
const megabytesPerProcessor = 1769;
/** Of each minute that a run may use: its time-out less its reserve. */
const usablePerMinute = 50 / 60;
const many = 50_000;
const goalSeconds = 180;

const pathOf = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

/** The sweeper's memory as it is deployed, in MB. */
const deployedMemory = (): number => {
  const template = parse(readFileSync(pathOf('../../../serverless.yml'), 'utf8'), { logLevel: 'silent' }) as {
    readonly functions: { readonly sweeper: { readonly memorySize: number } };
  };
  return template.functions.sweeper.memorySize;
};

/** 50,000 Images that are due at once. */
export const dueAtOnce = async (): Promise<Row> => {
  const services = await serveDue(many);
  try {
    const child = fork(pathOf('../sweep-process.ts'), [services.endpoint]);
    const [said] = (await once(child, 'message')) as [{ sent: number; milliseconds: number; megabytes: number }];
    const memory = deployedMemory();
    const seconds = said.milliseconds / 1000 / (memory / megabytesPerProcessor) / usablePerMinute;
    return {
      measure: `${many} due at once, sweeper of ${memory} MB`,
      measured: `sent after ${round(seconds)} s: ${round((said.milliseconds * 1000) / many)} µs of a processor each, ${round(said.megabytes)} MB; ${services.counts.sent} sent, ${services.counts.moved} moved`,
      ...atMost(goalSeconds, ' s', seconds),
      figures: { seconds, millisecondsOfProcessor: said.milliseconds, megabytes: said.megabytes },
    };
  } finally {
    services.close();
  }
};
