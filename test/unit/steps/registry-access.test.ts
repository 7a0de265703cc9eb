import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openRegistry } from '../../../lib/oci/client.ts';
import { parseTag } from '../../../lib/oci/reference.ts';
import { verifyReadAccess, verifyWriteAccess } from '../../../lib/steps/prepare/registry-access.ts';
import { type FakeRegistry, startFakeRegistry } from '../../support/fake-registry.ts';
import { pushSomeImage } from '../../support/registry-suite.ts';

let fake: FakeRegistry;
beforeEach(async () => {
  fake = await startFakeRegistry();
});
afterEach(() => fake.close());
const options = { retry: { attempts: 1 } };
const signal = AbortSignal.timeout(10_000);

describe('access to a registry', () => {
  it('04#129 to write is an upload begun and abandoned; a refusal is told with its URL', async () => {
    await verifyWriteAccess(`${fake.host}/some/image:tag`, options, signal);
    expect(fake.store.uploads.size).toBe(0);
    fake.addFault({ kind: 'status', method: 'POST', path: /uploads/, status: 403 });
    await expect(verifyWriteAccess(`${fake.host}/some/image:tag`, options, signal)).rejects.toThrow(
      `POST http://${fake.host}/v2/some/image/blobs/uploads/: unexpected status code 403 Forbidden`,
    );
  });

  it('04#130 to read is asked for the manifest: there, UNAUTHORIZED, or the registry’s own status', async () => {
    const tag = parseTag(`${fake.host}/some/image:tag`);
    await pushSomeImage(openRegistry(), tag);
    const read = () => verifyReadAccess(`${fake.host}/some/image:tag`, options, signal);
    await read();
    fake.addFault({ kind: 'status', method: 'GET', path: /manifests/, status: 401 });
    await expect(read()).rejects.toThrow(/: UNAUTHORIZED$/);
    fake.addFault({ kind: 'status', method: 'GET', path: /manifests/, status: 404 });
    await expect(read()).rejects.toThrow('unexpected status code 404 Not Found');
  });
});
