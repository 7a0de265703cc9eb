/** Node as npm has it: that of this machine is installed with everything else, that of another is fetched when an image needs it. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { PermanentError } from '../../lib/errors/expected.ts';
import { type Architecture, machines, ownArchitecture } from './architecture.ts';
import { toolOutput } from './command.ts';
import type { Report } from './debian.ts';

/** Which Node, and where it is. */
export interface NodeBinary {
  readonly version: string;
  /** Path of the program; one that has to be fetched goes into `scratch`. */
  readonly path: (scratch: string, report: Report) => Promise<string>;
}

interface Locked {
  readonly version: string;
  readonly integrity: string;
}

const lockedPackage = async (root: string, name: string): Promise<Locked> => {
  const { packages } = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, Locked | undefined>>;
  };
  const locked = packages[`node_modules/${name}`];
  if (locked === undefined) throw new PermanentError('NodeMissing', `package-lock.json does not name ${name}`);
  return locked;
};

const integrityOf = async (file: string): Promise<string> => {
  const hash = createHash('sha512');
  await pipeline(createReadStream(file), hash);
  return `sha512-${hash.digest('base64')}`;
};

/** npm fetches without installing and runs nothing; what came must be what the lockfile names. */
const fetched = async (root: string, name: string, { version, integrity }: Locked, into: string): Promise<string> => {
  const folder = join(into, name);
  await mkdir(folder);
  const pack = ['pack', `${name}@${version}`, '--ignore-scripts', '--silent', '--pack-destination', folder];
  await toolOutput('npm', pack, root);
  const [file] = await readdir(folder);
  const archive = join(folder, file ?? '');
  const found = file === undefined ? 'nothing' : await integrityOf(archive);
  if (found !== integrity)
    throw new PermanentError(
      'NodeMissing',
      `npm gave another ${name}@${version} than package-lock.json names: ${found}`,
    );
  await toolOutput('tar', ['-xzf', archive, '-C', folder, 'package/bin/node']);
  await rm(archive);
  return join(folder, 'package', 'bin', 'node');
};

/** The binary for an architecture, in the version of the lockfile. @throws PermanentError that says what to do */
export const nodeBinary = async (root: string, architecture: Architecture): Promise<NodeBinary> => {
  const name = machines[architecture].nodePackage;
  if (architecture !== ownArchitecture()) {
    const locked = await lockedPackage(root, name);
    const path = (scratch: string, report: Report): Promise<string> => {
      report(`fetching Node for ${architecture} (52 MB)`);
      return fetched(root, name, locked, scratch);
    };
    return { version: locked.version, path };
  }
  const folder = join(root, 'node_modules', name);
  try {
    const { version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Locked;
    return { version, path: () => Promise.resolve(join(folder, 'bin', 'node')) };
  } catch (cause) {
    throw new PermanentError(
      'NodeMissing',
      `building images needs the npm package ${name} in ${dirname(folder)}: run \`npm ci\``,
      { cause },
    );
  }
};
