/** How steps that start at once take turns. */
import { execFileSync } from 'node:child_process';
import { access, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { anotherFailedExitCode } from '../../../lib/api/step-exit.ts';
import { waiterOptions } from '../../../lib/steps/waiter/options.ts';
import { turnWorld } from '../../support/turn.ts';

const world = () => turnWorld(['before', 'own', 'later']);
const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

describe('a step in its turn', () => {
  it('03#75 is handed its arguments one by one, those with spaces too, and says when it is done', async () => {
    await using the = await world();
    const { ended } = the.start(['sh', '-c', 'printf "%s|" "$@"', 'sh', 'a b', '', '*', '$x', 'c']);
    expect(await ended).toEqual({ code: 0, output: 'a b||*|$x|c|' });
    expect(await readFile(the.signal('own', 'done'), 'utf8')).toBe('');
  });

  it('03#82 waits until the file of the kubelet is there and not empty, which is a link', async () => {
    await using the = await world();
    const { ended } = the.start(['cat', the.at('ready')], { ready: the.at('ready') });
    await symlink('data', the.at('ready'));
    await writeFile(the.at('data'), '');
    await pause(150);
    expect(await isThere(the.signal('own', 'done'))).toBe(false);
    await writeFile(the.at('data'), 'true');
    expect(await ended).toEqual({ code: 0, output: 'true' });
  });

  it('03#76 waits until the step before it is done, and for no other', async () => {
    await using the = await world();
    const { ended } = the.start(['touch', the.at('ran')], { after: 'before' });
    await writeFile(the.signal('later', 'done'), '');
    await pause(150);
    expect(await isThere(the.at('ran'))).toBe(false);
    await writeFile(the.signal('before', 'done'), '');
    expect(await ended).toEqual({ code: 0, output: '' });
    expect(await isThere(the.at('ran'))).toBe(true);
  });

  it('03#81 tells the others of a failure and keeps the exit code', async () => {
    await using the = await world();
    const waits = the.start(['touch', the.at('ran')], { after: 'before', step: 'later' });
    expect(await the.start(['sh', '-c', 'exit 51']).ended).toEqual({ code: 51, output: '' });
    expect(await waits.ended).toEqual({ code: anotherFailedExitCode, output: 'another step has errored: own\n' });
    expect(await isThere(the.at('ran'))).toBe(false);
    expect(await readdir(the.signal('later', ''))).toEqual(['failed']);
  });

  it('begins nothing when another step has failed already, even though its turn has come', async () => {
    await using the = await world();
    await writeFile(the.signal('before', 'done'), '');
    await writeFile(the.signal('later', 'failed'), '');
    const { code } = await the.start(['touch', the.at('ran')], { after: 'before' }).ended;
    expect([code, await isThere(the.at('ran'))]).toEqual([anotherFailedExitCode, false]);
  });

  it.each(['done', 'failed'])('takes no link for the signal %s, wherever it leads', async (name) => {
    await using the = await world();
    await writeFile(the.at('precious'), '');
    for (const target of [the.at('precious'), '/nowhere', '/dev/zero']) {
      await symlink(target, the.signal('before', name));
      const { code, output } = await the.start(['touch', the.at('ran')], { after: 'before' }).ended;
      expect([code, output]).toEqual([46, expect.stringContaining(`${name} is not a file`)]);
      expect(await isThere(the.at('ran'))).toBe(false);
      for (const made of [the.signal('before', name), the.signal('own', 'failed')]) await rm(made);
    }
  });

  it('takes no folder or pipe for a signal, and no file for the folder of a step', async () => {
    await using the = await world();
    await mkdir(the.signal('before', 'done'));
    expect((await the.start(['true'], { after: 'before' }).ended).output).toContain('done is not a file');
    await rm(the.signal('before', ''), { recursive: true });
    await rm(the.signal('own', 'failed'));
    await mkdir(the.signal('before', ''));
    execFileSync('mkfifo', [the.signal('before', 'done')]);
    expect((await the.start(['true'], { after: 'before' }).ended).output).toContain('done is not a file');
    await rm(the.signal('before', ''), { recursive: true });
    await rm(the.signal('own', 'failed'));
    await writeFile(the.signal('before', '').replace(/\/$/, ''), 'a file in place of the folder');
    expect((await the.start(['true'], { after: 'before' }).ended).output).toContain('cannot be looked into');
  });

  it('writes through no link that is in place of its own signal, and is not done then', async () => {
    await using the = await world();
    await writeFile(the.at('precious'), 'precious');
    for (const target of [the.at('precious'), the.at('made')]) {
      await symlink(target, the.signal('own', 'done'));
      expect((await the.start(['true']).ended).code).toBe(46);
      await rm(the.signal('own', ''), { recursive: true });
      await mkdir(the.signal('own', ''));
    }
    const late = the.start(['ln', '-s', the.at('made'), the.signal('own', 'done')]);
    expect(await late.ended).toEqual({ code: 46, output: 'file specified for writing already exists\n' });
    expect([await readFile(the.at('precious'), 'utf8'), await isThere(the.at('made'))]).toEqual(['precious', false]);
  });

  it('03#83 runs nothing when its file is there already', async () => {
    await using the = await world();
    await writeFile(the.signal('own', 'done'), '');
    const { code } = await the.start(['touch', the.at('ran')]).ended;
    expect([code, await isThere(the.at('ran'))]).toEqual([46, false]);
  });

  it('passes on that the pod is being stopped, and ends at once while it waits', async () => {
    await using the = await world();
    const running = the.start(['sh', '-c', 'trap "echo ended; exit 7" TERM; while :; do sleep 0.05; done']);
    const waiting = the.start(['true'], { after: 'before', step: 'later' });
    await pause(300);
    running.stop();
    waiting.stop();
    expect(await running.ended).toEqual({ code: 7, output: 'ended\n' });
    expect((await waiting.ended).code).toBe(143);
  });

  it('ends no sooner than the file is there that it is held for, and is not done before', async () => {
    await using the = await world();
    const { ended } = the.start(['true'], { hold: the.at('copied') });
    await pause(200);
    expect(await readdir(the.signal('own', ''))).toEqual([]);
    await writeFile(the.at('copied'), '');
    expect(await ended).toEqual({ code: 0, output: '' });
  });

  it('waits without work for the processor: no process is started for a look', async () => {
    await using the = await world();
    const { ended, processorSeconds } = the.start(['true'], { after: 'before' });
    await pause(1500);
    const used = await processorSeconds();
    await writeFile(the.signal('before', 'done'), '');
    expect(await ended).toEqual({ code: 0, output: '' });
    // 30 looks; one that starts a process takes a millisecond.
    expect(used.ofChildren).toBeLessThanOrEqual(0.01);
    expect(used.own).toBeLessThan(0.1);
    expect(await readdir(the.signal('own', ''))).toEqual(['done']);
  });

  it('does not hand the pipe that it waits with to its program', async () => {
    await using the = await world();
    const { output } = await the.start(['sh', '-c', 'ls -l /proc/$$/fd; true']).ended;
    expect(output).toContain(' 2 -> ');
    expect(output).not.toMatch(/ 3 -> |clock/);
  });

  it('says what cannot be started, and what it does not understand', async () => {
    await using the = await world();
    const missing = await the.start([the.at('missing')]).ended;
    expect([missing.code, missing.output]).toEqual([127, expect.stringContaining('missing: not found')]);
    expect(await the.start([]).ended).toEqual({ code: 2, output: 'need -- and a program\n' });
  });
});

describe('what the waiter is told', () => {
  it('wants a place to copy to, and a program to run', () => {
    expect(() => waiterOptions(['-mode=copy'])).toThrow('-to must be specified with -mode=copy');
    expect(() => waiterOptions(['-mode=extend-run'])).toThrow('need -- and a program with -mode=extend-run');
    expect(() => waiterOptions(['-mode=wait', '--', 'a'])).toThrow('unknown -mode=wait');
    expect(waiterOptions(['-mode=extend-run', '-analyzed=a', '--', 'a', '-b c'])).toEqual({
      mode: 'extend-run',
      analyzed: 'a',
      command: ['a', '-b c'],
    });
  });
});
