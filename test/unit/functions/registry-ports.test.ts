import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { registryPorts } from '../../../functions/registry-ports.ts';
import { creatorVersionOf } from '../../../functions/release.ts';
import { settingsFrom } from '../../../functions/settings.ts';
import { noAccount } from '../../../lib/buildpacks/offers.ts';
import { noMetrics } from '../../../lib/metrics/metrics.ts';
import { parseTag } from '../../../lib/oci/reference.ts';
import { fakeCluster } from '../../support/fake-cluster.ts';
import { selfSigned } from '../../support/self-signed.ts';
import { startTlsRegistry } from '../../support/tls-registry.ts';

const required = {
  KPACKLESS_TABLE: 't',
  KPACKLESS_QUEUE_URL_PREFIX: 'q',
  KPACKLESS_SENDERS: 'any',
  KPACKLESS_STEP_IMAGE: 'i',
};
const file = (content: string): string => {
  const path = join(mkdtempSync(join(tmpdir(), 'kpackless-ca-')), 'ca.pem');
  writeFileSync(path, content);
  return path;
};

describe('KPACKLESS_REGISTRY_CA_FILE', () => {
  it('makes a registry readable that its certificates vouch for, and no other', async () => {
    const { key, cert } = await selfSigned();
    const tls = await startTlsRegistry(key, cert);
    const counted: unknown[] = [];
    const metrics = { add: (...one: readonly unknown[]) => void counted.push(one) };
    const head = async (caFile: string) => {
      const { registryFor } = registryPorts({
        settings: settingsFrom({
          ...required,
          KPACKLESS_EGRESS_ALLOW: '127.0.0.1',
          KPACKLESS_REGISTRY_CA_FILE: caFile,
        }),
        metrics,
      });
      const opening = { behalf: 'cluster-scoped', access: 'read' } as const;
      return (await registryFor(fakeCluster().kube, noAccount, opening)).headManifest(
        parseTag(`${tls.host}/some/image:v1`),
      );
    };
    try {
      expect(await head(file(cert))).toMatchObject({ digest: tls.digest });
      await expect(head(file((await selfSigned()).cert))).rejects.toMatchObject({ code: 'unreachable' });
      expect(counted[0]).toEqual(['RegistryRequests', { method: 'GET', status: '200' }]);
      // The one that vouches for itself alone is asked again before it is given up.
      expect(new Set(counted.slice(1).map((one) => JSON.stringify(one)))).toContain(
        JSON.stringify(['RegistryRequests', { method: 'GET', status: '0' }]),
      );
    } finally {
      await tls.close();
    }
  });

  it('that holds no certificate stops the start', () => {
    expect(() =>
      registryPorts({
        settings: settingsFrom({ ...required, KPACKLESS_REGISTRY_CA_FILE: file('hello') }),
        metrics: noMetrics,
      }),
    ).toThrow(/^KPACKLESS_REGISTRY_CA_FILE: .* holds no certificate in PEM form$/);
  });

  it('may be left out', () => {
    expect(settingsFrom(required)).toMatchObject({ KPACKLESS_REGISTRY_CA_FILE: '', KPACKLESS_COMMIT: '' });
  });
});

describe('the release a builder names as its maker', () => {
  it('is the version of the package, with the commit when that is known', () => {
    expect(creatorVersionOf('')).toMatch(/^v\d+\.\d+\.\d+$/);
    expect(creatorVersionOf('0123abc', { version: '1.2.3' })).toBe('v1.2.3 (git sha: 0123abc)');
  });

  it('takes nothing for a commit that is none', () => {
    expect(() => settingsFrom({ ...required, KPACKLESS_COMMIT: 'main' })).toThrow(
      /KPACKLESS_COMMIT is "main": must be a commit/,
    );
  });
});
