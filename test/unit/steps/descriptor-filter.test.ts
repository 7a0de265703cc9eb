/** What is left of a source after `exclude`, whatever its names are made of. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { applyFilter } from '../../../lib/steps/prepare/descriptor-filter.ts';

let folder = '';
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('a name that is no UTF-8 is kept or deleted like any other, and links are not followed', async () => {
  folder = mkdtempSync(join(tmpdir(), 'kpackless-filter-'));
  const odd = Buffer.from([0xff, 0x61]);
  const at = (name: string | Uint8Array): Buffer => Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(name)]);
  mkdirSync(at('kept'));
  writeFileSync(at(Buffer.concat([Buffer.from('kept/'), odd])), '');
  writeFileSync(at(odd), '');
  writeFileSync(at('a.txt'), '');
  symlinkSync('kept', at('link'));
  await applyFilter(folder, { kind: 'exclude', patterns: ['/?a', 'link'] });
  expect(readdirSync(folder).toSorted()).toEqual(['a.txt', 'kept']);
  expect(readdirSync(at('kept'), { encoding: 'buffer' })).toEqual([odd]);
});
