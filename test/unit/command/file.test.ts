/** Standalone mode's file as the command sees it, while another process works with it too. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fileInstallation } from '../../../infra/command/file-installation.ts';
import { openDatabase } from '../../../lib/embedded/database.ts';
import { Messages } from '../../../lib/embedded/messages.ts';
import { sqliteTable } from '../../../lib/embedded/sqlite-table.ts';
import type { Item } from '../../../lib/state/table.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kpackless-file-'));
  path = join(folder, 'kpackless.sqlite');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const clock = (): Date => new Date('2026-01-01T10:00:00Z');
const items = async ({ scan }: ReturnType<typeof fileInstallation>): Promise<readonly Item[]> => {
  const all: Item[] = [];
  for await (const page of scan.pages()) all.push(...page);
  return all;
};
const copies = (): readonly string[] => readdirSync(tmpdir()).filter((name) => /^kpackless-\w{6}$/.test(name));

describe('the file of standalone mode', () => {
  it('that a process works with is looked at as it is now, and the copy is removed', async () => {
    const before = copies();
    const database = openDatabase(path);
    try {
      await sqliteTable(database).put('object#one#Image#team#app', 'record', { attempts: 2 });
      await using looked = fileInstallation(path, undefined, { writes: false }, clock);
      expect(await items(looked)).toMatchObject([{ attempts: 2 }]);
      expect(copies().length).toBe(before.length + 1);
    } finally {
      database.close();
    }
    expect(copies()).toEqual(before);
  });

  it('that a process works with is not written', () => {
    const database = openDatabase(path);
    try {
      expect(() => fileInstallation(path, undefined, { writes: true }, clock)).toThrow(/stop the kpackless/);
    } finally {
      database.close();
    }
  });

  it('has pages of many items, each once', async () => {
    const database = openDatabase(path);
    for (let index = 0; index < 1203; index += 1) await sqliteTable(database).put(`object#${index}`, 'record');
    database.close();
    await using installation = fileInstallation(path, undefined, { writes: false }, clock);
    expect(new Set((await items(installation)).map(({ pk }) => pk)).size).toBe(1203);
  });

  it('has queues whose oldest message has an age', async () => {
    const database = openDatabase(path);
    const message = { target: 't', tenant: 'x', bulk: false, id: '1', body: '{}' };
    new Messages(database).add('image', [message], clock().getTime() - 90_000);
    database.close();
    await using installation = fileInstallation(path, undefined, { writes: false }, clock);
    expect(await installation.depths.depth('image')).toEqual({
      waiting: 1,
      inHand: 0,
      deadLetters: 0,
      oldestSeconds: 90,
    });
    expect(await installation.depths.depth('build')).toMatchObject({ waiting: 0, oldestSeconds: undefined });
  });

  it('has passes in its log: the last of an object first, of others none', async () => {
    openDatabase(path).close();
    const target = { cluster: 'one', kind: 'Image', namespace: 'team', name: 'app' };
    const line = (at: string, name: string) =>
      JSON.stringify({ at, level: 'info', what: 'pass finished', ...target, name, result: 'settled', ms: 5 });
    const log = join(folder, 'log');
    writeFileSync(log, [line('1', 'app'), line('2', 'other'), 'no JSON of "app"', line('3', 'app')].join('\n'));
    await using installation = fileInstallation(path, log, { writes: false }, clock);
    expect((await installation.passes(target, 'image')).map(({ at }) => at)).toEqual(['3', '1']);
  });

  it('that is not there is no file, and none is made', () => {
    expect(() => fileInstallation(path, undefined, { writes: false }, clock)).toThrow(/there is no file/);
    expect(readdirSync(folder)).toEqual([]);
  });
});
