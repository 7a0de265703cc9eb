/** A large layer on its way from one registry to another. */
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { openRegistry } from '../../../lib/oci/client.ts';
import { parseDigest } from '../../../lib/oci/digest.ts';
import { parseRepository } from '../../../lib/oci/reference.ts';
import { type Row, round } from '../row.ts';
import type { World } from '../world.ts';

const run = promisify(execFile);
const pieceBytes = 1_000_000;
const pieces = 200;

/** Copies 200 MB in a process of its own. */
export const largeLayer = async ({ registry, otherRegistry }: World): Promise<Row> => {
  const piece = randomBytes(pieceBytes);
  const hash = createHash('sha256');
  for (let index = 0; index < pieces; index += 1) hash.update(piece);
  const digest = parseDigest(`sha256:${hash.digest('hex')}`);
  const size = pieceBytes * pieces;
  const from = `${registry.host}/bench/large`;
  const open = async function* (): AsyncGenerator<Uint8Array> {
    for (let index = 0; index < pieces; index += 1) yield piece;
  };
  await openRegistry().pushBlob(parseRepository(from), { digest, size, open });
  const program = join(import.meta.dirname, '..', 'copy-layer.ts');
  const { stdout } = await run(
    process.execPath,
    [program, from, `${otherRegistry.host}/bench/large`, digest, String(size)],
    { timeout: 60_000 },
  );
  const { copied, seconds, extraMb } = JSON.parse(stdout) as {
    readonly copied: string;
    readonly seconds: number;
    readonly extraMb: number;
  };
  return {
    measure: `a layer of ${size / 1e6} MB from one registry to another`,
    measured: `${copied} in ${round(seconds)} s, ${round(extraMb)} MB more memory`,
    goal: '≤ 64 MB extra',
    reached: copied === 'uploaded' && extraMb <= 64,
    figures: { seconds, extraMb },
  };
};
