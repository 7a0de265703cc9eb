/** The cache of programs is filled whole or not at all, each module in one run of the compiler. A script stands for the compiler. */
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { binaryPath, ensureBinaries } from '../../../../../infra/local/cluster/binaries.ts';
import { PROGRAMS } from '../../../../../infra/local/cluster/programs.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kpackless-binaries-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Does with `-o` what go does: a folder takes each program by the last part of its package. `fails` names a package that does not compile. */
const compiler = (fails = 'nothing'): string => {
  const path = join(folder, 'go');
  writeFileSync(
    path,
    `#!/bin/sh
echo "$*" >> ${folder}/calls
while [ "$1" != -o ]; do shift; done
into=$2; shift 2
for package; do
  case $into in */) echo "$package" > "$into$(basename "$package")";; *) echo "$package" > "$into";; esac
  case $package in *${fails}) echo "$package does not compile" >&2; exit 1;; esac
done
`,
  );
  chmodSync(path, 0o755);
  return path;
};

const calls = (): readonly string[] =>
  existsSync(join(folder, 'calls')) ? readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n') : [];
const pathOf = (name: string): string => {
  const program = PROGRAMS.find((one) => one.name === name);
  return program === undefined ? '' : binaryPath(folder, program);
};

describe('programs of the local cluster', () => {
  it('are compiled once a module, and found the next time', async () => {
    const lines: string[] = [];
    const options = { cacheDir: folder, report: (line: string) => lines.push(line), take: async () => false };
    const binaries = await ensureBinaries({ ...options, go: compiler() });
    expect(Object.keys(binaries).toSorted()).toEqual(PROGRAMS.map(({ name }) => name).toSorted());
    for (const { name, package: source } of PROGRAMS) expect(readFileSync(binaries[name], 'utf8')).toBe(`${source}\n`);
    expect(calls()).toHaveLength(new Set(PROGRAMS.map(({ module }) => module)).size);
    expect(lines[0]).toMatch(/^compiling kube-apiserver, .* \(about \d+ s on two cores, once\)$/);
    await ensureBinaries({ ...options, go: '/no/such/compiler' });
  });

  it('that are there already, or are taken from elsewhere, are not compiled', async () => {
    const taken = ['kubectl', 'registry', 'etcd'];
    const take = async (name: string, target: string): Promise<boolean> => {
      if (!taken.includes(name)) return false;
      await import('node:fs/promises').then(({ mkdir }) => mkdir(dirname(target), { recursive: true }));
      writeFileSync(target, 'taken');
      return true;
    };
    const binaries = await ensureBinaries({ cacheDir: folder, report: () => undefined, take, go: compiler() });
    expect(calls().join('\n')).not.toMatch(/cmd\/kubectl|cmd\/registry|etcd/);
    expect(calls()).toHaveLength(2);
    expect(taken.map((name) => readFileSync(binaries[name as 'kubectl'], 'utf8'))).toEqual(['taken', 'taken', 'taken']);
  });

  it('of a module that does not compile are not there in part, and the compiler is quoted', async () => {
    const broken = ensureBinaries({
      cacheDir: folder,
      report: () => undefined,
      take: async () => false,
      go: compiler('cmd/kubelet'),
    });
    await expect(broken).rejects.toThrow(/cmd\/kubelet does not compile/);
    expect(existsSync(pathOf('kube-apiserver'))).toBe(false);
    expect(readdirSync(dirname(pathOf('kube-apiserver')))).toEqual([]);
  });
});
