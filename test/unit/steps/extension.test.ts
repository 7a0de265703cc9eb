import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { extendRun, gate, restored } from '../../../lib/steps/extension/steps.ts';

let folder = '';
let lines: string[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kpackless-extension-'));
  lines = [];
});
afterEach(async () => await rm(folder, { recursive: true, force: true }));

const at = (name: string): string => join(folder, name);
const digest = `sha256:${'a'.repeat(64)}`;
const madeFor = `reg.io/run:tag@${digest}`;
const context = (signal = new AbortController().signal) => ({
  log: (line: string) => void lines.push(line),
  signal,
  pollMilliseconds: 5,
});
const analyzed = async (image: string, extend: boolean, reference = `reg.io/other@${digest}`): Promise<string> => {
  await writeFile(
    at('analyzed.toml'),
    `[run-image]\nimage = "${image}"\nreference = "${reference}"\nextend = ${extend}\n`,
  );
  return at('analyzed.toml');
};

describe('restoring for image extensions', () => {
  const restore = (path: string, command: readonly [string, ...string[]] = ['true']) =>
    restored(
      { mode: 'restored', analyzed: path, runImage: madeFor, extender: at('lifecycle'), to: at('kept'), command },
      context(),
      at('said'),
    );
  beforeEach(async () => {
    await writeFile(at('lifecycle'), 'program');
    await chmod(at('lifecycle'), 0o755);
  });

  it('keeps the extender, and says nothing where the pod has the run image already', async () => {
    expect(await restore(await analyzed(madeFor, true))).toBe(0);
    expect(await readFile(at('kept'), 'utf8')).toBe('program');
    await expect(readFile(at('said'))).rejects.toThrow('ENOENT');
  });

  it('says the run image that an extension chose and extends', async () => {
    expect(await restore(await analyzed('reg.io/other:1', true))).toBe(0);
    expect(JSON.parse(await readFile(at('said'), 'utf8'))).toEqual({ extendRunImage: `reg.io/other@${digest}` });
  });

  it('says nothing of one that is used as it is', async () => {
    expect(await restore(await analyzed('reg.io/other:1', false))).toBe(0);
    await expect(readFile(at('said'))).rejects.toThrow('ENOENT');
  });

  it('ends as the restorer does', async () => {
    expect(await restore(at('none'), ['sh', '-c', 'exit 42'])).toBe(42);
    await expect(readFile(at('kept'))).rejects.toThrow('ENOENT');
  });

  it('says which file it cannot read', async () => {
    await expect(restore(at('none'))).rejects.toThrow(`${at('none')} cannot be read: ENOENT`);
    await writeFile(at('broken'), '[run-image');
    await expect(restore(at('broken'))).rejects.toThrow(`${at('broken')} cannot be read: `);
  });
});

describe('the gate before the run image is extended', () => {
  const open = (path: string, given = at('given'), patience?: number) =>
    gate({ mode: 'gate', analyzed: path, runImage: madeFor, given }, context(), patience);

  it.each([
    ['extended as it was foreseen', madeFor, true],
    ['named otherwise, but the same', `reg.io/run@${digest}`, true],
    ['chosen and complete', 'reg.io/other:1', false],
  ])('is open for a run image that is %s', async (_what, image, extend) => {
    expect(await open(await analyzed(image, extend), '')).toBe(0);
  });

  it('opens once the pod has the run image that was chosen', async () => {
    const waiting = open(await analyzed('reg.io/other:1', true));
    await writeFile(at('given'), 'reg.io/something-else\n');
    await new Promise((resolve) => setTimeout(resolve, 20));
    await writeFile(at('given'), `reg.io/other@${digest}`);
    expect(await waiting).toBe(0);
    expect(lines).toEqual([`an extension chose run image reg.io/other@${digest}: waiting until the pod has it`]);
  });

  it('does not wait for ever', async () => {
    await expect(open(await analyzed('reg.io/other:1', true), at('given'), 20)).rejects.toThrow(
      `the pod was not given run image reg.io/other@${digest}`,
    );
  });

  it('stays shut where a pod cannot be given another image', async () => {
    await expect(open(await analyzed('reg.io/other:1', true), '')).rejects.toThrow('a pod with injected sidecars');
  });
});

describe('extending the run image', () => {
  const extend = (path: string) =>
    extendRun({ mode: 'extend-run', analyzed: path, command: ['sh', '-c', `touch ${at('ran')}; exit 102`] }, context());

  it('is the extender’s work', async () => {
    expect(await extend(await analyzed(madeFor, true))).toBe(102);
    expect(await readFile(at('ran'), 'utf8')).toBe('');
  });

  it('is left out where nothing is added', async () => {
    expect(await extend(await analyzed(madeFor, false))).toBe(0);
    await expect(readFile(at('ran'))).rejects.toThrow('ENOENT');
    expect(lines).toEqual([`run image reg.io/other@${digest} is used as it is`]);
  });
});
