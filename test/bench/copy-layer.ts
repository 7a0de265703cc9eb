/** Copies one blob between registries and says how much memory that took: a process of its own, so that nothing else counts. */

import { openRegistry } from '../../lib/oci/client.ts';
import { copyBlob } from '../../lib/oci/copy.ts';
import { parseDigest } from '../../lib/oci/digest.ts';
import { parseRepository } from '../../lib/oci/reference.ts';

const [from = '', to = '', digest = '', size = ''] = process.argv.slice(2);
const registry = openRegistry();
const named = (text: string, bytes: number) => ({ digest: parseDigest(text), size: bytes });
const source = { repository: parseRepository(from) };
// Connections, TLS and code are there before we look.
await registry.hasBlob(source.repository, parseDigest(digest));
await registry.hasBlob(parseRepository(to), parseDigest(digest));
const peak = (): number => process.resourceUsage().maxRSS * 1024;
const before = peak();
const started = performance.now();
const copied = await copyBlob(registry, named(digest, Number(size)), source, parseRepository(to));
process.stdout.write(
  JSON.stringify({ copied, seconds: (performance.now() - started) / 1000, extraMb: (peak() - before) / 1e6 }),
);
