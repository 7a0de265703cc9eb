/** L3: the step programs, one CommonJS bundle each, as executables under the paths that build pods name (spec 03 §7). */
import { join } from 'node:path';
import { type BuildOptions, build } from 'esbuild';
import type { LayerEntry } from './layer.ts';

/** Executable in the image → folder of its entry under functions/steps. */
export const stepPrograms: Readonly<Record<string, string>> = {
  'cnb/process/build-init': 'prepare',
  'cnb/process/build-waiter': 'waiter',
  'cnb/process/completion': 'completion',
  'cnb/process/rebase': 'rebase',
};

/** The AWS SDK is five times our own code and serves only ECR and S3: it lies beside the programs and is loaded when it is needed. */
const sdk = { name: '@aws-sdk/client-ecr', path: 'cnb/lib/aws-ecr.cjs' } as const;

/** CommonJS starts 15 ms sooner than ESM (spec 08). The path of the checkout must not reach the bytes: names are relative to `root`. */
export async function programLayer(root: string): Promise<readonly LayerEntry[]> {
  const common = {
    absWorkingDir: root,
    bundle: true,
    write: false,
    minify: true,
    legalComments: 'none',
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    logLevel: 'silent',
  } as const;
  const bundled = async (options: BuildOptions & typeof common): Promise<string> =>
    (await build(options)).outputFiles?.[0]?.text ?? '';
  const programs = Object.entries(stepPrograms).map(async ([path, folder]): Promise<LayerEntry> => {
    const content = await bundled({
      ...common,
      entryPoints: [join('functions', 'steps', folder, 'main.ts')],
      banner: { js: '#!/usr/bin/node' },
      alias: { [sdk.name]: `/${sdk.path}` },
      external: [`/${sdk.path}`],
    });
    return { path, kind: 'file', mode: 0o755, content };
  });
  const used = `export { ECRClient, GetAuthorizationTokenCommand } from '${sdk.name}';`;
  const content = await bundled({ ...common, stdin: { contents: used, resolveDir: root } });
  return [
    ...['cnb', 'cnb/lib', 'cnb/process'].map((path) => ({ path, kind: 'directory' as const })),
    { path: sdk.path, kind: 'file', content },
    ...(await Promise.all(programs)),
  ];
}
