import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { waiterOptions } from '../../../lib/steps/waiter/options.ts';
import { waitAndRun } from '../../../lib/steps/waiter/wait.ts';

let folder = '';
let lines: string[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kpackless-wait-'));
  for (const step of ['before', 'own', 'later']) await mkdir(join(folder, 'signals', step), { recursive: true });
  lines = [];
});
afterEach(async () => await rm(folder, { recursive: true, force: true }));

const at = (name: string): string => join(folder, name);
const signal = (step: string, name: string): string => join(folder, 'signals', step, name);
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

interface Given {
  readonly waitFile?: string;
  readonly after?: string;
  readonly stop?: AbortSignal;
}
const started = (command: readonly [string, ...string[]], { waitFile = '', after = '', stop }: Given = {}) =>
  waitAndRun(
    { mode: 'wait', waitFile, after, signals: at('signals'), signalTo: join(folder, 'signals', 'own'), command },
    { log: (line) => void lines.push(line), signal: stop ?? new AbortController().signal, pollMilliseconds: 5 },
  );

describe('the waiter', () => {
  it('03#75 hands over arguments one by one, those with spaces too', async () => {
    expect(await started(['sh', '-c', 'printf "%s|" "$@" > "$0"', at('out'), 'a b', '', 'c'])).toBe(0);
    expect(await readFile(at('out'), 'utf8')).toBe('a b||c|');
    expect(await readFile(signal('own', 'done'), 'utf8')).toBe('done');
  });

  it('03#82 waits until the file of the kubelet is there and not empty, which is a link', async () => {
    const running = started(['sh', '-c', `cp ${at('ready')} ${at('out')}`], { waitFile: at('ready') });
    await symlink('data', at('ready'));
    await writeFile(at('data'), '');
    await pause(30);
    await expect(readFile(at('out'))).rejects.toThrow('ENOENT');
    await writeFile(at('data'), 'true');
    expect(await running).toBe(0);
    expect(await readFile(at('out'), 'utf8')).toBe('true');
    expect(lines).toStrictEqual([`waiting on ${at('ready')}`]);
  });

  it('03#76 waits until the step before it is done, and for no other', async () => {
    const running = started(['touch', at('out')], { after: 'before' });
    await writeFile(signal('later', 'done'), 'done');
    await pause(30);
    await expect(readFile(at('out'))).rejects.toThrow('ENOENT');
    await writeFile(signal('before', 'done'), '');
    expect(await running).toBe(0);
    expect(lines).toStrictEqual(['waiting on before']);
  });

  it('03#81 tells the others of a failure and keeps the exit code', async () => {
    expect(await started(['sh', '-c', 'exit 51'])).toBe(51);
    expect(await readFile(signal('own', 'failed'), 'utf8')).toBe('error running command exit status 51');
    await expect(started(['true'], { after: 'before' })).rejects.toThrow('another step has errored: own');
  });

  it('ends its own command when another step fails', async () => {
    const [failure] = await Promise.all([
      started(['sleep', '30']).catch(String),
      writeFile(signal('later', 'failed'), ''),
    ]);
    expect(failure).toContain('another step has errored: later');
    expect(await readFile(signal('own', 'failed'), 'utf8')).toBe('failed');
  });

  it.each(['done', 'failed'])('takes no link for the signal %s, wherever it leads', async (name) => {
    await writeFile(at('secret'), 'key');
    await symlink(at('secret'), signal('before', name));
    await expect(started(['touch', at('out')], { after: 'before' })).rejects.toThrow(`${name} is not a file`);
    await expect(readFile(at('out'))).rejects.toThrow('ENOENT');
  });

  it('takes no folder for a signal, and none that it cannot look into for a step that is not done', async () => {
    await mkdir(signal('before', 'done'));
    await expect(started(['true'], { after: 'before' })).rejects.toThrow('done is not a file');
    await rm(join(folder, 'signals', 'before'), { recursive: true });
    await writeFile(join(folder, 'signals', 'before'), 'a file in place of the folder');
    await expect(started(['true'], { after: 'before' })).rejects.toThrow('cannot be looked into: ENOTDIR');
  });

  it('writes through no link that is in place of its own signal', async () => {
    await writeFile(at('precious'), 'precious');
    await symlink(at('precious'), signal('own', 'failed'));
    await expect(started(['false'])).rejects.toThrow(/not a file|already exists/);
    expect(await readFile(at('precious'), 'utf8')).toBe('precious');
  });

  it('passes on that the pod is being stopped', async () => {
    const stop = new AbortController();
    const running = started(['sleep', '30'], { stop: stop.signal });
    await new Promise((resolve) => setTimeout(resolve, 50));
    stop.abort();
    expect(await running).toBe(143);
  });

  it('says what cannot be started', async () => {
    expect(await started([at('missing')])).toBe(127);
    expect(lines[0]).toContain(`cannot start ${at('missing')}`);
  });

  it('03#83 runs nothing when its file is there already', async () => {
    await writeFile(signal('own', 'done'), 'done');
    await expect(started(['touch', at('out')])).rejects.toThrow('file specified for writing already exists');
  });
});

describe('what the waiter is told', () => {
  it('understands a command after two dashes, and kpack’s in one text', () => {
    const common = ['-mode=wait', '-wait-file=w', '-after=a', '-signals=s', '-signal-to=o'];
    const expected = { mode: 'wait', waitFile: 'w', after: 'a', signals: 's', signalTo: 'o' };
    expect(waiterOptions([...common, '--', 'a', '-b c'])).toStrictEqual({ ...expected, command: ['a', '-b c'] });
    expect(waiterOptions([...common, '-execute=a -b c'])).toStrictEqual({ ...expected, command: ['a', '-b', 'c'] });
  });

  it('wants a place to copy to, and a command to run', () => {
    expect(() => waiterOptions(['-mode=copy'])).toThrow('-to must be specified with -mode=copy');
    expect(() => waiterOptions([])).toThrow('need -execute with -mode=wait');
    expect(() => waiterOptions(['-mode=x'])).toThrow('unknown -mode=x');
    expect(() => waiterOptions(['-signals=s', '--', 'a'])).toThrow('need -signals and -signal-to');
  });
});
