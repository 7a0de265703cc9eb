/** L3: the step programs, one CommonJS bundle each, as executables under the paths that build pods name (spec 03 §7). */
import { join } from 'node:path';
import { build } from 'esbuild';
import type { LayerEntry } from './layer.ts';

/** Executable in the image → folder of its entry under functions/steps. */
export const stepPrograms: Readonly<Record<string, string>> = {
  'cnb/process/build-init': 'prepare',
  'cnb/process/build-waiter': 'waiter',
  'cnb/process/completion': 'completion',
  'cnb/process/rebase': 'rebase',
};

/** CommonJS starts 15 ms sooner than ESM (spec 08). The path of the checkout must not reach the bytes: names are relative to `root`. */
export async function programLayer(root: string): Promise<readonly LayerEntry[]> {
  const files = await Promise.all(
    Object.entries(stepPrograms).map(async ([path, folder]): Promise<LayerEntry> => {
      const result = await build({
        absWorkingDir: root,
        entryPoints: [join('functions', 'steps', folder, 'main.ts')],
        bundle: true,
        write: false,
        minify: true,
        legalComments: 'none',
        platform: 'node',
        target: 'node24',
        format: 'cjs',
        banner: { js: '#!/usr/bin/node' },
        logLevel: 'silent',
      });
      return { path, kind: 'file', mode: 0o755, content: result.outputFiles[0]?.text ?? '' };
    }),
  );
  return [{ path: 'cnb', kind: 'directory' }, { path: 'cnb/process', kind: 'directory' }, ...files];
}
