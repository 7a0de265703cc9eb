import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { conformanceCases, conformanceTable } from '../../parity/oci-conformance.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const suites = ['test/unit/oci', 'test/support'].flatMap((folder) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.ts') && name !== 'conformance.test.ts')
    .map((name) => readFileSync(join(root, folder, name), 'utf8')),
);
const hasTest = (title: string): boolean => suites.some((text) => text.includes(`('${title}`));

describe('the OCI conformance suite', () => {
  it.each(conformanceCases.map((one) => [one.registry, one] as const))(
    '%s: covered, or not used for a reason',
    (_, one) => {
      expect(one.test === undefined ? one.client.startsWith('not used') : hasTest(one.test)).toBe(true);
    },
  );

  it('is listed in the documentation as it is here', () => {
    expect(readFileSync(join(root, 'docs/registries.md'), 'utf8')).toContain(conformanceTable());
  });
});
