import { describe, expect, it } from 'vitest';
import { mappedStack } from '../../../lib/text/mapped-stack.ts';

describe('a stack of a bundle', () => {
  const sourceOf = ({ line, column }: { line: number; column: number }) =>
    line === 2 ? { file: 'lib/images/reconcile.ts', line: 40, column } : undefined;

  it('is told by the files it was made of, frame by frame', () => {
    const stack =
      'TypeError: x\n    at k (file:///var/task/dist/image/handler.mjs:2:17)\n    at async /var/task/dist/image/handler.mjs:2:5';
    expect(mappedStack(stack, sourceOf)).toBe(
      'TypeError: x\n    at k (lib/images/reconcile.ts:40:17)\n    at async lib/images/reconcile.ts:40:5',
    );
  });

  it('keeps what comes from no source, and what is no place in a bundle', () => {
    const stack = 'at node:internal/timers:5:1\n at (handler.mjs:9:1)';
    expect(mappedStack(stack, sourceOf)).toBe(stack);
  });
});
