import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { accountRegistries } from '../../../lib/buildpacks/account-registry.ts';
import type { Acting } from '../../../lib/buildpacks/opening.ts';
import type { CallContext, Images } from '../../../lib/builds/images-port.ts';
import { registryImages } from '../../../lib/builds/registry-images.ts';
import { type FakeCluster, fakeCluster } from '../../support/fake-cluster.ts';
import { type FakeRegistry, startFakeRegistry } from '../../support/fake-registry.ts';
import { openTransport } from '../../support/open-egress.ts';

const diffId = (letter: string): string => `sha256:${letter.repeat(64)}`;
const account: Acting = {
  behalf: { namespace: 'n' },
  namespace: 'n',
  serviceAccount: 'builder',
  imagePullSecrets: ['extra'],
};
const manifestType = 'application/vnd.oci.image.manifest.v1+json';

let registry: FakeRegistry;
let cluster: FakeCluster;
let images: Images;

/** Puts an image with these labels and layers there; its digest. */
const push = (path: string, tag: string, labels: Record<string, string>, diffIds: readonly string[]): string => {
  const config = Buffer.from(
    JSON.stringify({
      os: 'linux',
      architecture: 'amd64',
      rootfs: { type: 'layers', diff_ids: diffIds },
      config: { Env: ['A=b'], Labels: labels },
    }),
  );
  const layers = diffIds.map((id) => {
    const bytes = Buffer.from(`layer ${id}`);
    const digest = registry.store.putBlob(path, bytes);
    return { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', size: bytes.length, digest };
  });
  const manifest = {
    schemaVersion: 2,
    mediaType: manifestType,
    config: {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      size: config.length,
      digest: registry.store.putBlob(path, config),
    },
    layers,
  };
  return registry.store.putManifest(path, manifestType, Buffer.from(JSON.stringify(manifest)), tag);
};

const call = (): CallContext => ({ cluster: 'c', kube: cluster.kube, signal: AbortSignal.timeout(5000) });

beforeEach(async () => {
  registry = await startFakeRegistry({ auth: { kind: 'basic', users: { user: 'pass' } } });
  cluster = fakeCluster();
  cluster.put('/api/v1/namespaces/n/serviceaccounts', {
    kind: 'ServiceAccount',
    metadata: { name: 'builder', namespace: 'n' },
  });
  const auths = { auths: { [registry.host]: { username: 'user', password: 'pass' } } };
  cluster.put('/api/v1/namespaces/n/secrets', {
    kind: 'Secret',
    metadata: { name: 'extra', namespace: 'n' },
    type: 'kubernetes.io/dockerconfigjson',
    data: { '.dockerconfigjson': Buffer.from(JSON.stringify(auths)).toString('base64') },
  } as object);
  images = registryImages(accountRegistries({ transport: openTransport }));
});

afterEach(() => registry.close());

describe('the images of a Build', () => {
  it('03#113 are read with the builder’s pull secrets', async () => {
    const digest = push('builders/b', 'v1', { 'io.buildpacks.stack.id': 'S' }, []);
    expect(await images.read(`${registry.host}/builders/b:v1`, account, call())).toEqual({
      digest,
      os: 'linux',
      env: ['A=b'],
      labels: { 'io.buildpacks.stack.id': 'S' },
    });
    const without = images.read(`${registry.host}/builders/b:v1`, { ...account, imagePullSecrets: [] }, call());
    await expect(without).rejects.toMatchObject({ code: 'unauthorized' });
  });

  it('are read once under a digest, each time under a tag, and never for one account with what another may', async () => {
    const digest = push('builders/b', 'v1', {}, []);
    const byDigest = `${registry.host}/builders/b@${digest}`;
    await images.read(byDigest, account, call());
    registry.clearRequests();
    await images.read(byDigest, account, call());
    expect(registry.requests).toEqual([]);
    await images.read(`${registry.host}/builders/b:v1`, account, call());
    expect(registry.requests).not.toEqual([]);
    const other = images.read(byDigest, { ...account, serviceAccount: 'other', imagePullSecrets: [] }, call());
    await expect(other).rejects.toMatchObject({ code: 'unauthorized' });
  });

  it('are rebased onto a new run image, and say what they are then', async () => {
    const lifecycle = (topLayer: string, reference: string) =>
      JSON.stringify({ app: [], runImage: { topLayer, reference }, stack: { runImage: { image: 'run' } } });
    const stack = { 'io.buildpacks.stack.id': 'S' };
    push('run', 'new', stack, [diffId('2')]);
    const app = push(
      'apps/a',
      'v1',
      { ...stack, 'io.buildpacks.lifecycle.metadata': lifecycle(diffId('1'), `${registry.host}/run@${diffId('f')}`) },
      [diffId('1'), diffId('a')],
    );
    const request = {
      image: `${registry.host}/apps/a@${app}`,
      runImage: `${registry.host}/run:new`,
      tags: [`${registry.host}/apps/a`, `${registry.host}/apps/a:b2.20261121.080000`],
    };
    const made = await images.rebase(request, account, call());
    const { tags } = registry.store.repository('apps/a');
    expect([tags.get('latest'), tags.get('b2.20261121.080000')]).toEqual([made.digest, made.digest]);
    expect(made.labels['io.buildpacks.lifecycle.metadata']).toContain(`"topLayer":"${diffId('2')}"`);
  });
});
