#!/usr/bin/env node
/** `npx kpackless …` in a checkout: the command for people who run kpackless (docs/commands.md). */
import { setTimeout as sleep } from 'node:timers/promises';
import { awsOf } from './aws.ts';
import type { Installation, Opening, Where } from './installation.ts';
import { probe, serverDate } from './probe.ts';
import { runCommand } from './program.ts';

const clock = (): Date => new Date();

/** The SDK's clients take half a second to load: only who asks AWS waits for them. */
const open = async (where: Where, opening: Opening): Promise<Installation> =>
  where.database === undefined
    ? (await import('./aws-installation.ts')).awsInstallation(where, clock)
    : (await import('./file-installation.ts')).fileInstallation(where.database, where.logFile, opening, clock);

process.exitCode = await runCommand(process.argv.slice(2), {
  streams: {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    isTerminal: process.stderr.isTTY,
  },
  clock,
  open,
  aws: awsOf,
  sleep,
  probe,
  serverDate,
  reach: async (way) => (await import('./reach.ts')).reachCluster(way),
});
