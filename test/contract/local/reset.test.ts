/** What a killed local cluster leaves must not keep its state folder from being removed. Mounts need root. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { resetState } from '../../../infra/local/cluster/leftovers.ts';
import { stateLayout } from '../../../infra/local/cluster/state.ts';

const isRoot = process.getuid?.() === 0;
if (!isRoot) process.stderr.write('skipped: the state of a killed cluster (mounting needs root)\n');

describe.skipIf(!isRoot)('the state of a local cluster that was killed', () => {
  it('is forgotten although its volumes are still mounted, one of them over the folder itself', async () => {
    const root = mkdtempSync(join(tmpdir(), 'kpackless-reset-'));
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', root]);
    const layout = stateLayout(root);
    const volume = join(layout.kubelet, 'pods', '1', 'volumes', 'token');
    mkdirSync(volume, { recursive: true });
    mkdirSync(layout.pids, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', volume]);
    writeFileSync(join(volume, 'token'), 'x');

    await resetState(root);

    expect(existsSync(root)).toBe(false);
  });

  it('is forgotten when there is none', async () => {
    const root = join(tmpdir(), 'kpackless-reset-none');
    await resetState(root);
    expect(existsSync(root)).toBe(false);
  });
});
