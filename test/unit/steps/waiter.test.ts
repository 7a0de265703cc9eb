import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { waiterOptions } from '../../../lib/steps/waiter/options.ts';
import { waitAndRun } from '../../../lib/steps/waiter/wait.ts';

let folder = '';
let lines: string[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kpackless-wait-'));
  lines = [];
});
afterEach(async () => await rm(folder, { recursive: true, force: true }));

const at = (name: string): string => join(folder, name);
const started = (command: readonly [string, ...string[]], waitFile = '', signal = new AbortController().signal) =>
  waitAndRun(
    { mode: 'wait', waitFile: waitFile && at(waitFile), doneFile: at('done'), errorFile: at('error'), command },
    { log: (line) => void lines.push(line), signal, pollMilliseconds: 5 },
  );

describe('the waiter', () => {
  it('03#75 hands over arguments one by one, those with spaces too', async () => {
    expect(await started(['sh', '-c', 'printf "%s|" "$@" > "$0"', at('out'), 'a b', '', 'c'])).toBe(0);
    expect(await readFile(at('out'), 'utf8')).toBe('a b||c|');
    expect(await readFile(at('done'), 'utf8')).toBe('done');
  });

  it('03#76 03#82 waits until the file before it is there and not empty', async () => {
    const running = started(['sh', '-c', `cp ${at('before')} ${at('out')}`], 'before');
    await writeFile(at('before'), '');
    await new Promise((resolve) => setTimeout(resolve, 30));
    await expect(readFile(at('out'))).rejects.toThrow('ENOENT');
    await writeFile(at('before'), 'true');
    expect(await running).toBe(0);
    expect(await readFile(at('out'), 'utf8')).toBe('true');
    expect(lines).toStrictEqual([`waiting on ${at('before')}`]);
  });

  it('03#81 tells the others of a failure and keeps the exit code', async () => {
    expect(await started(['sh', '-c', 'exit 51'])).toBe(51);
    expect(await readFile(at('error'), 'utf8')).toBe('error running command exit status 51');
    await expect(started(['true'], 'never')).rejects.toThrow('another step has errored');
  });

  it('ends its own command when another step fails', async () => {
    const [failure] = await Promise.all([started(['sleep', '30']).catch(String), writeFile(at('error'), 'x')]);
    expect(failure).toContain('another step has errored');
  });

  it('passes on that the pod is being stopped', async () => {
    const stop = new AbortController();
    const running = started(['sleep', '30'], '', stop.signal);
    await new Promise((resolve) => setTimeout(resolve, 50));
    stop.abort();
    expect(await running).toBe(143);
  });

  it('says what cannot be started', async () => {
    expect(await started([at('missing')])).toBe(127);
    expect(lines[0]).toContain(`cannot start ${at('missing')}`);
  });

  it('03#83 runs nothing when its file is there already', async () => {
    await writeFile(at('done'), 'done');
    await expect(started(['touch', at('out')])).rejects.toThrow('file specified for writing already exists');
  });
});

describe('what the waiter is told', () => {
  it('understands a command after two dashes, and kpack’s in one text', () => {
    const common = ['-mode=wait', '-wait-file=w', '-done-file=d', '-error-file=e'];
    const expected = { mode: 'wait', waitFile: 'w', doneFile: 'd', errorFile: 'e' };
    expect(waiterOptions([...common, '--', 'a', '-b c'])).toStrictEqual({ ...expected, command: ['a', '-b c'] });
    expect(waiterOptions([...common, '-execute=a -b c'])).toStrictEqual({ ...expected, command: ['a', '-b', 'c'] });
  });

  it('wants a place to copy to, and a command to run', () => {
    expect(() => waiterOptions(['-mode=copy'])).toThrow('-to must be specified with -mode=copy');
    expect(() => waiterOptions([])).toThrow('need -execute with -mode=wait');
    expect(() => waiterOptions(['-mode=x'])).toThrow('unknown -mode=x');
  });
});
