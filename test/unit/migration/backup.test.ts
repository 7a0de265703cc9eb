import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { readBackup, writeBackup } from '../../../infra/command/migrate/backup-file.ts';
import type { KubeObject } from '../../../lib/kube/object.ts';

const objects: readonly KubeObject[] = [
  { apiVersion: 'v1', kind: 'Deployment', metadata: { name: 'kpack-controller', namespace: 'kpack' } },
  { apiVersion: 'kpack.io/v1alpha2', kind: 'Image', metadata: { name: 'a\u2028b\u2029c\u0085d\r', namespace: 'team' } },
  { apiVersion: 'kpack.io/v1alpha2', kind: 'Image', metadata: { name: '# complete: 1 objects', namespace: 'team' } },
];
const head = { cluster: 'prod', at: '2026-01-01T10:00:00Z' };

describe('a backup', () => {
  let folder: string;
  let path: string;

  const stream = async function* (): AsyncGenerator<KubeObject> {
    yield* objects;
  };
  const read = async (): Promise<readonly KubeObject[]> => {
    const found: KubeObject[] = [];
    for await (const object of readBackup(path)) found.push(object);
    return found;
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'kpackless-backup-'));
    path = join(folder, 'backup.yaml');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is read back object by object, and is YAML that kubectl takes', async () => {
    const counts = await writeBackup(path, head, stream());
    expect([counts.total, counts.shown]).toStrictEqual([3, '1 Deployment, 2 Images']);
    expect(await read()).toStrictEqual(objects);
    expect(
      parseAllDocuments(readFileSync(path, 'utf8')).flatMap((one) => (one.toJS() as KubeObject | null) ?? []),
    ).toStrictEqual(objects);
  });

  it('is for its owner alone, also where an earlier run left a file that anybody reads', async () => {
    writeFileSync(`${path}.part`, 'half', { mode: 0o644 });
    await writeBackup(path, head, stream());
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(() => statSync(`${path}.part`)).toThrow('ENOENT');
  });

  it('replaces nothing', async () => {
    writeFileSync(path, 'mine');
    await expect(writeBackup(path, head, stream())).rejects.toThrow(
      'is there already, and is not written over: name another with --backup',
    );
    expect(readFileSync(path, 'utf8')).toBe('mine');
  });

  it('is not there when writing it failed on the way', async () => {
    const failing = async function* (): AsyncGenerator<KubeObject> {
      yield* objects;
      throw new Error('the API server went away');
    };
    await expect(writeBackup(path, head, failing())).rejects.toThrow('went away');
    expect(() => statSync(path)).toThrow('ENOENT');
  });

  it('names the folder that it cannot be written to', async () => {
    path = join(folder, 'nowhere', 'backup.yaml');
    await expect(writeBackup(path, head, stream())).rejects.toThrow(/backup\.yaml cannot be written: ENOENT/);
  });

  it.each([
    [
      'was cut off between two objects',
      (text: string) => text.slice(0, text.lastIndexOf('---')),
      'its last line is not',
    ],
    ['was cut off within one', (text: string) => text.slice(0, text.lastIndexOf('"team"')), 'is not an object'],
    [
      'lacks an object',
      (text: string) => text.replace(/^\{.*kpack-controller.*$/m, ''),
      'its last line is not "# complete: 2 objects"',
    ],
    ['is another file', () => 'apiVersion: v1\n', 'its first line does not begin with'],
    ['is empty', () => '', 'it is empty'],
  ])('that %s is none', async (_what, damage, said) => {
    await writeBackup(path, head, stream());
    writeFileSync(path, damage(readFileSync(path, 'utf8')));
    await expect(read()).rejects.toThrow(said);
  });

  it('that is not there is said with its name', async () => {
    await expect(read()).rejects.toThrow(/backup\.yaml cannot be read: ENOENT/);
  });
});
