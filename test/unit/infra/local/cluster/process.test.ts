import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type ProcessSpec, startProcess, startTimeOf } from '../../../../../infra/local/cluster/process.ts';
import { createLayout, type StateLayout, stateLayout } from '../../../../../infra/local/cluster/state.ts';
import { waitUntil } from '../../../../../infra/local/cluster/wait.ts';

describe('a supervised program', () => {
  let layout: StateLayout;
  const said: string[] = [];
  const start = (script: string, rest: Partial<ProcessSpec> = {}) =>
    startProcess(layout, { name: 'it', command: '/bin/sh', args: ['-c', script], ...rest }, (line) => said.push(line));

  beforeAll(() => {
    layout = stateLayout(mkdtempSync(join(tmpdir(), 'kpackless-process-')));
    createLayout(layout);
  });
  afterAll(() => rmSync(layout.root, { recursive: true, force: true }));

  it('is known by pid and start time while it runs, and gone without a trace after stop', async () => {
    const running = start('exec sleep 100');
    const recorded = JSON.parse(readFileSync(join(layout.pids, 'it.json'), 'utf8')) as object;
    expect(recorded).toEqual({ pid: running.pid, startTime: startTimeOf(running.pid) });
    running.assertRunning();
    await running.stop();
    expect(startTimeOf(running.pid)).toBeUndefined();
    expect(readdirSync(layout.pids)).toEqual([]);
  });

  it('is killed when it does not listen', async () => {
    const running = start('trap "" TERM; echo ready; while :; do sleep 0.1; done', { patience: 50 });
    await waitUntil(() => readFileSync(running.logFile, 'utf8').includes('ready'), {
      what: 'sh',
      timeout: 5_000,
      every: 5,
    });
    await running.stop();
    expect(startTimeOf(running.pid)).toBeUndefined();
  });

  it('that ends by itself is reported with its last words', async () => {
    const running = start('echo "port is taken"; exit 3');
    await waitUntil(() => said.length > 0, { what: 'the report', timeout: 5_000, every: 5 });
    expect(said[0]).toMatch(/^it ended \(code 3\): port is taken \(more in .*it\.log\)$/);
    expect(() => running.assertRunning()).toThrow('port is taken');
    await running.stop();
  });

  it('that is not installed is said so', () => {
    expect(() => start('', { command: '/nowhere/etcd' })).toThrow(
      '/nowhere/etcd could not be started: is it installed?',
    );
  });

  it('is not mistaken for another that got its pid', () => {
    expect(startTimeOf(process.pid)).toMatch(/^\d+$/);
    expect(startTimeOf(2 ** 30)).toBeUndefined();
  });
});

describe('waiting', () => {
  it('gives up with what was waited for and why it was not so', async () => {
    const probe = () => Promise.reject(new Error('connection refused'));
    await expect(waitUntil(probe, { what: 'etcd', timeout: 20, every: 5 })).rejects.toThrow(
      'waiting for etcd took longer than 0.02 s: connection refused',
    );
  });

  it('ends at once when it has become pointless', async () => {
    const check = () => {
      throw new Error('etcd ended');
    };
    await expect(waitUntil(() => false, { what: 'etcd', timeout: 10_000, check })).rejects.toThrow('etcd ended');
  });
});
