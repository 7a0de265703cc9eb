/** A standalone run ends when it is told to, and leaves nothing running when it cannot start (DESIGN §3.18). */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const run = async (mode: string): Promise<Readonly<Record<string, unknown>>> => {
  const script = join(import.meta.dirname, '..', '..', '..', 'support', 'standalone-run.ts');
  // Ended after half a minute: whatever is left running would keep the process alive.
  const { stdout } = await promisify(execFile)(process.execPath, [script, mode], { timeout: 30_000 });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as Readonly<Record<string, unknown>>;
};

describe('standalone', () => {
  it('a cluster that cannot be reached is a sentence, and the process ends by itself', async () => {
    const { refused } = await run('unreachable');
    expect(refused).toMatch(/cannot reach the API server at 127\.0\.0\.1:1/);
  }, 40_000);

  it('takes push hooks on loopback, through the handler of the function', async () => {
    const { hook } = await run('idle');
    expect(hook).toEqual([202, { taken: 'what follows the repository looks at it' }]);
  }, 40_000);

  it('stops at once in the middle of its long polls', async () => {
    const { stopMilliseconds } = await run('idle');
    expect(stopMilliseconds).toBeLessThan(5000);
  }, 40_000);
});
