/**
 * Bundles every deployable entry into dist/<name>/: one ES module each, minified, with everything it needs but Node itself
 * (DESIGN §3.23). `npm run bundle` prints the sizes.
 */
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { readCommandLine } from './command-line/read.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

const clientNodeConfig = join(root, 'node_modules/@kubernetes/client-node/dist/config.js');

/** A bundle on disk. */
export interface Bundle {
  readonly name: string;
  readonly path: string;
  readonly sizeBytes: number;
}

/**
 * Packages that client-node imports for what we never do: its typed clients (undici), exec, attach and cp (ws, tar-fs, stream-buffers),
 * logins through other programs' caches (openid-client, jsonpath-plus), SOCKS proxies. lib/kube takes only KubeConfig from it and speaks
 * node:https. ssh2 tries its native parts and works without them.
 */
const unused = [
  'cpu-features',
  'form-data',
  'isomorphic-ws',
  'jsonpath-plus',
  'openid-client',
  'socks',
  'socks-proxy-agent',
  'stream-buffers',
  'tar-fs',
  'undici',
  'ws',
];

/** Anything may be imported from it and extended; using it says what to do. */
const stub = (name: string): string => `
const refuse = () => { throw new Error('${name} is not part of this bundle: take it off the list in infra/bundle.ts'); };
const absent = new Proxy(class { constructor() { refuse(); } }, { get: (target, key) => key === 'prototype' ? target.prototype : key === '__esModule' ? false : absent, apply: refuse });
module.exports = absent;
`;

const withoutUnused: Plugin = {
  name: 'without-unused',
  setup: (builder) => {
    // Straight to KubeConfig: the package's index brings every typed client and model, which KubeConfig itself names once.
    builder.onResolve({ filter: /^@kubernetes\/client-node$/ }, () => ({ path: clientNodeConfig }));
    builder.onResolve({ filter: /^\.\/gen\/index\.js$/ }, ({ importer }) =>
      importer === clientNodeConfig ? { path: 'typed clients', namespace: 'unused' } : undefined,
    );
    const names = unused.map((name) => name.replaceAll('-', '\\-')).join('|');
    builder.onResolve({ filter: new RegExp(`^(${names})$`) }, ({ path }) => ({ path, namespace: 'unused' }));
    builder.onLoad({ filter: /.*/, namespace: 'unused' }, ({ path }) => ({ contents: stub(path), loader: 'js' }));
    builder.onResolve({ filter: /\.node$/ }, ({ path }) => ({ path, namespace: 'native' }));
    builder.onLoad({ filter: /.*/, namespace: 'native' }, ({ path }) => ({
      contents: `throw new Error('no native code in a bundle: ${path}')`,
      loader: 'js',
    }));
  },
};

const options = {
  absWorkingDir: root,
  bundle: true,
  write: false,
  minify: true,
  // Beside the bundle, and not deployed with it: `kpackless stack` reads a function's stacks by it.
  sourcemap: 'external',
  sourcesContent: false,
  keepNames: false,
  legalComments: 'none',
  platform: 'node',
  target: 'node24',
  format: 'esm',
  mainFields: ['module', 'main'],
  // What Node gives to packages in CommonJS: they call require for its own modules, and ssh2's cipher asks for its folder.
  banner: {
    js: [
      "import{createRequire as r}from'node:module'",
      'const require=r(import.meta.url),__filename=import.meta.filename,__dirname=import.meta.dirname;',
    ].join(';'),
  },
  plugins: [withoutUnused],
  logLevel: 'error',
} satisfies BuildOptions;

/** Entries by the name of their folder in dist: every functions/<name>/handler.ts, the relay, and all of them as one process. */
const bundleEntries = async (): Promise<ReadonlyMap<string, string>> => {
  const entries = new Map([['standalone', join('infra', 'standalone', 'main.ts')]]);
  for (const folder of (await readdir(join(root, 'functions'), { withFileTypes: true })).filter((e) => e.isDirectory()))
    for (const file of await readdir(join(root, 'functions', folder.name)))
      if (file === 'handler.ts' || file === 'main.ts') entries.set(folder.name, join('functions', folder.name, file));
  return entries;
};

/** Writes one bundle to `into`/`name`/. */
export const bundleOne = async (name: string, entry: string, into: string): Promise<Bundle> => {
  const file = entry.endsWith('main.ts') ? 'main' : 'handler';
  const { outputFiles } = await build({
    ...options,
    entryPoints: { [file]: entry },
    outdir: join(into, name),
    outExtension: { '.js': '.mjs' },
  });
  await mkdir(join(into, name), { recursive: true });
  for (const { path, contents } of outputFiles) await writeFile(path, contents);
  const path = join(into, name, `${file}.mjs`);
  return { name, path, sizeBytes: (await stat(path)).size };
};

/** Writes all bundles into the folder `into`, which is emptied first. */
export const bundleAll = async (into: string = join(root, 'dist')): Promise<readonly Bundle[]> => {
  await rm(into, { recursive: true, force: true });
  const entries = await bundleEntries();
  return Promise.all([...entries].map(([name, entry]) => bundleOne(name, entry, into)));
};

if (import.meta.main)
  try {
    readCommandLine({ name: 'npm run bundle', options: {} }, { args: process.argv.slice(2), environment: process.env });
    for (const { name, sizeBytes } of await bundleAll())
      process.stdout.write(`${name.padEnd(20)}${String(Math.round(sizeBytes / 1000)).padStart(6)} kB\n`);
  } catch (error) {
    process.stderr.write(`npm run bundle: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
