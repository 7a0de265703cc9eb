import { describe, expect, it } from 'vitest';
import { jsonLog } from '../../../lib/reconcile/log.ts';
import { shownStatus } from '../../../lib/reconcile/shown-status.ts';
import { printable, printableLines } from '../../../lib/text/printable.ts';

/** ANSI escapes, C1, bidirectional overrides, zero width, line separators, lone surrogates, tags, private use. */
const invisible = '\u001B\u009B\u0000\u007F\u202E\u2066\u200B\uFEFF\u2028\u2029\uD800\u{E0041}\uE000\u00AD';

describe('what is shown', () => {
  it('has nothing that cannot be seen', () => {
    expect(printable(`a${invisible}b`, 100)).toMatch(/^a {14}b$/);
    expect(printable('a\nb', 100)).toBe('a b');
    expect(printableLines(`a\n${invisible}\nb`)).toMatch(/^a\n {14}\nb$/);
  });

  it('is cut at a whole character', () => {
    expect(printable('😀😀😀', 2)).toBe('😀😀…');
    expect(printableLines('x'.repeat(10_000_000))).toBe(`${'x'.repeat(4096)}…`);
  });

  it('of a status are messages and reasons, wherever they are; everything else is kept', () => {
    const status = {
      observedGeneration: 2,
      latestImage: `r/a${invisible}`,
      conditions: [{ type: 'Ready', status: 'False', reason: 'A\u202EB', message: 'two\nlines\u001B[2J' }],
      stepStates: [{ terminated: { exitCode: 1, message: 'x\u0007' } }],
    };
    expect(shownStatus(status)).toEqual({
      ...status,
      conditions: [{ type: 'Ready', status: 'False', reason: 'A B', message: 'two\nlines [2J' }],
      stepStates: [{ terminated: { exitCode: 1, message: 'x ' } }],
    });
  });

  it('of a log line is all of it, with its own shape kept', () => {
    const lines: string[] = [];
    jsonLog(
      (line) => lines.push(line),
      () => new Date(0),
    )('warn', 'said', {
      why: `a${invisible}b`,
      count: 1,
      list: ['\u202Ex', { deep: '\u009B' }],
    });
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toMatch(/(?!\n)[\p{C}\p{Zl}\p{Zp}]|\\u/u);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      level: 'warn',
      what: 'said',
      count: 1,
      list: [' x', { deep: ' ' }],
    });
  });
});
