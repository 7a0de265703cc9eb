import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { endOfLog } from '../../../lib/kube/log-end.ts';

const endOf = async (chunks: readonly string[], limit: number) => {
  const { bytes, leftOut } = await endOfLog(Readable.from(chunks.map((chunk) => Buffer.from(chunk))), limit);
  return [Buffer.from(bytes).toString(), leftOut];
};

describe('the end of a log', () => {
  it('is all of a short one', async () => {
    expect(await endOf(['one\ntw', 'o\n'], 100)).toEqual(['one\ntwo\n', 0]);
    expect(await endOf([], 100)).toEqual(['', 0]);
    expect(await endOf(['0123456789'], 10)).toEqual(['0123456789', 0]);
  });

  it('begins with a whole line when the log is longer, wherever its chunks begin', async () => {
    const log = 'first line\nsecond line\nthird line\n';
    for (const size of [1, 3, 7, 11, 100]) {
      const chunks = log.match(new RegExp(`[^]{1,${size}}`, 'gu')) ?? [];
      expect(await endOf(chunks, 15)).toEqual(['third line\n', 23]);
    }
  });

  it('is the end of a line that is longer than everything', async () => {
    expect(await endOf(['x'.repeat(30), 'yz'], 10)).toEqual([`${'x'.repeat(8)}yz`, 22]);
    expect(await endOf([`${'x'.repeat(30)}\n`], 10)).toEqual([`${'x'.repeat(9)}\n`, 21]);
  });

  it('of a log that nobody could hold has the limit’s size', async () => {
    const megabyte = Buffer.alloc(1024 * 1024, 'log line\n');
    const log = async function* () {
      for (let n = 0; n < 300; n += 1) yield Buffer.from(megabyte);
    };
    const { bytes, leftOut } = await endOfLog(log(), 4 * 1024 * 1024);
    expect(bytes.byteLength + leftOut).toBe(300 * 1024 * 1024);
    expect(bytes.byteLength).toBeLessThanOrEqual(4 * 1024 * 1024);
    expect(bytes.byteLength).toBeGreaterThan(4 * 1024 * 1024 - 20);
  });
});
