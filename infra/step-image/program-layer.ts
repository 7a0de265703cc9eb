/**
 * L3: the step programs, one CommonJS bundle each, as executables under the paths that build pods name (spec 03 §7), and the script that starts
 * them in turn.
 */
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

/**
 * AWS' packages are five times our own code and serve only ECR and S3: they lie beside the programs and are loaded when they are needed.
 * Even unused they would cost each step 8 ms.
 */
const sdk = {
  path: 'cnb/lib/aws-ecr.cjs',
  used: {
    '@aws-sdk/client-ecr': ['ECRClient', 'GetAuthorizationTokenCommand'],
    '@smithy/signature-v4': ['SignatureV4'],
    '@aws-crypto/sha256-js': ['Sha256'],
  },
} as const;

/** How a step program is bundled, by esbuild's names. */
export const stepBundle = {
  bundle: true,
  write: false,
  minify: true,
  legalComments: 'none',
  platform: 'node',
  target: 'node24',
  format: 'cjs',
  logLevel: 'silent',
} as const;

/** Leaves AWS' packages out of a bundle. */
export const withoutSdk = {
  alias: Object.fromEntries(Object.keys(sdk.used).map((name) => [name, `/${sdk.path}`])),
  external: [`/${sdk.path}`],
};

/** CommonJS starts 15 ms sooner than ESM (spec 08). The path of the checkout must not reach the bytes: names are relative to `root`. */
export async function programLayer(root: string): Promise<readonly LayerEntry[]> {
  const common = { ...stepBundle, absWorkingDir: root };
  const bundled = async (options: BuildOptions & typeof common): Promise<string> =>
    (await build(options)).outputFiles?.[0]?.text ?? '';
  const programs = Object.entries(stepPrograms).map(async ([path, folder]): Promise<LayerEntry> => {
    const content = await bundled({
      ...common,
      entryPoints: [join('functions', 'steps', folder, 'main.ts')],
      banner: { js: '#!/usr/bin/node' },
      ...withoutSdk,
    });
    return { path, kind: 'file', mode: 0o755, content };
  });
  const used = Object.entries(sdk.used).map(([name, parts]) => `export { ${parts.join(', ')} } from '${name}';`);
  const content = await bundled({ ...common, stdin: { contents: used.join('\n'), resolveDir: root } });
  return [
    ...['cnb', 'cnb/lib', 'cnb/process'].map((path) => ({ path, kind: 'directory' as const })),
    { path: sdk.path, kind: 'file', content },
    ...(await Promise.all(programs)),
    { path: 'cnb/process/turn', kind: 'file', mode: 0o755, from: join(root, 'functions/steps/turn/turn.sh') },
  ];
}
