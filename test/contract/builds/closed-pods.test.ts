/** infra/cluster/closed-build-pods.yaml as a real API server applies it. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { waitUntil } from '../../../infra/local/cluster/wait.ts';
import { type ApiServer, apiServerIsHere, startApiServer } from '../../support/api-server.ts';

const file = fileURLToPath(new URL('../../../infra/cluster/closed-build-pods.yaml', import.meta.url));
const pods = '/api/v1/namespaces/team/pods';
const closed = 'build pods are closed to everybody';
const debug = { name: 'debug', image: 'sh', targetContainerName: 'a' };

describe.runIf(apiServerIsHere)('closed build pods', () => {
  let server: ApiServer;
  const entering = (pod: string, how: string): Promise<string> =>
    server.api.send('POST', `${pods}/${pod}/${how}`).then(String, (error: unknown) => (error as Error).message);

  beforeAll(async () => {
    server = await startApiServer();
    await server.api.ensure('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } });
    await server.api.ensure('/api/v1/namespaces/team/serviceaccounts', {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'default' },
    });
    for (const document of parseAllDocuments(readFileSync(file, 'utf8'))) {
      const object = document.toJS() as { readonly kind: string };
      const plural = object.kind.endsWith('Policy')
        ? 'validatingadmissionpolicies'
        : 'validatingadmissionpolicybindings';
      await server.api.ensure(`/apis/admissionregistration.k8s.io/v1/${plural}`, object);
    }
    for (const name of ['app-build-1-build-pod', 'app'])
      await vi.waitFor(
        () =>
          server.api.ensure(pods, {
            apiVersion: 'v1',
            kind: 'Pod',
            metadata: { name },
            spec: { containers: [{ name: 'a', image: 'a' }] },
          }),
        { timeout: 10_000 },
      );
    // Policies take effect a moment after they were made.
    const isClosed = async () => (await entering('app-build-1-build-pod', 'exec?command=sh')).includes(closed);
    await waitUntil(isClosed, { what: 'the policy to be obeyed', timeout: 20_000 });
  });

  afterAll(async () => {
    await server?.stop();
  });

  it.each(['exec?command=sh', 'attach', 'portforward?ports=80'])('refuse %s, and other pods do not', async (how) => {
    expect(await entering('app-build-1-build-pod', how)).toContain(closed);
    expect(await entering('app', how)).not.toContain(closed);
  });

  it('refuse a debugging container, and other pods do not', async () => {
    const put = async (name: string) => {
      const pod = (await server.api.send('GET', `${pods}/${name}`)) as { readonly spec: object };
      const spec = { ...pod.spec, ephemeralContainers: [debug] };
      return server.api.send('PUT', `${pods}/${name}/ephemeralcontainers`, { ...pod, spec });
    };
    await expect(put('app-build-1-build-pod')).rejects.toThrow(closed);
    expect(await put('app')).toMatchObject({ spec: { ephemeralContainers: [{ name: 'debug' }] } });
  });
});
