import { afterAll, beforeAll, describe } from 'vitest';
import type { Keychain } from '../../../lib/oci/keychain.ts';
import {
  type RealMode,
  type RealRegistry,
  realUser,
  registryPrograms,
  startRealRegistry,
} from '../../support/real-registry.ts';
import { registrySuite } from '../../support/registry-suite.ts';

const alice: Keychain = () => Promise.resolve({ kind: 'basic', ...realUser });
const found = registryPrograms();
const modes: readonly RealMode[] = ['open', 'basic', 'token'];

if (found.length === 0) {
  console.log(
    'contract of the real registry skipped: no program; `npm start` compiles one, Debian has docker-registry',
  );
}

describe.skipIf(found.length === 0)('the CNCF registry', () => {
  const programs = found.length === 0 ? ['registry'] : found;
  describe.each(programs.flatMap((program) => modes.map((mode) => [program, mode] as const)))(
    '%s, %s',
    (program, mode) => {
      let real: RealRegistry;
      beforeAll(async () => {
        real = await startRealRegistry(program, mode);
      });
      afterAll(() => real.close());
      const place = () => ({ host: real.host, ...(mode === 'open' ? {} : { keychain: alice }) });
      registrySuite(place);
    },
  );
});
