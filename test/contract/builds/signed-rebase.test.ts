/** A rebase without a pod of an image that is signed and attested: what independent verifiers say of what lies in the CNCF registry. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toMessageSignatureBundle } from '@sigstore/bundle';
import { toSignedEntity, Verifier } from '@sigstore/verify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeImage } from '../../../infra/local/images/image.ts';
import { makeLayer } from '../../../infra/local/images/layer.ts';
import { pushImage } from '../../../infra/local/images/push.ts';
import { accountRegistries } from '../../../lib/buildpacks/account-registry.ts';
import { registryImages } from '../../../lib/builds/registry-images.ts';
import { openRegistry } from '../../../lib/oci/client.ts';
import type { Digest } from '../../../lib/oci/digest.ts';
import type { Keychain } from '../../../lib/oci/keychain.ts';
import { parseReference, type TagReference } from '../../../lib/oci/reference.ts';
import type { Registry } from '../../../lib/oci/registry.ts';
import { attestationTag } from '../../../lib/signing/attestation.ts';
import { preAuthenticationEncoding } from '../../../lib/signing/dsse.ts';
import { signatureTag } from '../../../lib/signing/simple-signing.ts';
import { cosignKey } from '../../support/cosign-key.ts';
import { openTransport } from '../../support/open-egress.ts';
import { type RealRegistry, realUser, registryPrograms, startRealRegistry } from '../../support/real-registry.ts';
import {
  accounts,
  type BuildWorld,
  builderFacts,
  buildWorld,
  namespace,
  podPath,
} from '../../unit/builds/build-world.ts';

const [program] = registryPrograms();
if (program === undefined) console.log('signed rebases skipped: no registry program (npm start compiles one)');

const base64 = (content: string): string => Buffer.from(content).toString('base64');
const keychain: Keychain = () => Promise.resolve({ kind: 'basic', ...realUser });
const pair = cosignKey('p');
const stack = { 'io.buildpacks.stack.id': 'S' };
const source = {
  source: { type: 'git', version: { commit: 'c'.repeat(40) }, metadata: { repository: 'https://git.example/a' } },
};

describe.skipIf(program === undefined)('a rebase of a signed image in the CNCF registry', () => {
  let real: RealRegistry;
  let registry: Registry;
  beforeAll(async () => {
    real = await startRealRegistry(program ?? '', 'token');
    registry = openRegistry({ keychain });
  });
  afterAll(() => real.close());

  const push = async (name: string, layers: readonly string[], labels: Readonly<Record<string, string>>) => {
    const made = await Promise.all(layers.map((layer) => makeLayer([{ path: layer, content: layer }])));
    return pushImage(real.host, makeImage(name, made, { labels, env: ['CNB_USER_ID=1', 'CNB_GROUP_ID=1'] }), keychain);
  };

  /** An app on run image 1, its builder, and a Build that rebases it onto run image `edition`. */
  const prepare = async (edition: string): Promise<BuildWorld> => {
    const { diffId } = await makeLayer([{ path: 'run 1', content: 'run 1' }]);
    const { host } = real;
    const run = await push(`run:${edition}`, [`run ${edition}`], stack);
    await push('builder:1', ['builder'], { ...builderFacts.labels });
    const app = await push('apps/a:latest', ['run 1', 'app'], {
      ...stack,
      'io.buildpacks.project.metadata': JSON.stringify(source),
      'io.buildpacks.build.metadata': JSON.stringify({ buildpacks: [], launcher: { version: '0.21.0' } }),
      'io.buildpacks.lifecycle.metadata': JSON.stringify({
        runImage: { topLayer: diffId, reference: 'old@sha256:1' },
        stack: { runImage: { image: `${host}/run` } },
      }),
    });
    const world = buildWorld({
      metadata: { annotations: { 'image.kpack.io/reason': 'STACK' } },
      spec: {
        tags: [`${host}/apps/a`, `${host}/apps/a:b2`, `${host}/elsewhere/a:b2`],
        builder: { image: `${host}/builder:1` },
        runImage: { image: run },
        lastBuild: { image: app, stackId: 'S' },
      },
      registries: registryImages(accountRegistries({ transport: openTransport })),
      attest: {
        systemAccount: { namespace: 'system', name: 'controller' },
        internalParameters: {},
        release: 'v1',
        registryFor: accountRegistries({ transport: openTransport }),
      },
    });
    world.cluster.put('/api/v1/namespaces', { kind: 'Namespace', metadata: { name: namespace } });
    world.cluster.remove(`${accounts}/someserviceaccount`);
    const put = (at: string, object: object): void => world.cluster.put(at, object);
    put(accounts, {
      kind: 'ServiceAccount',
      metadata: { name: 'someserviceaccount', namespace },
      secrets: [{ name: 'login' }, { name: 'key' }],
    });
    const secrets = `/api/v1/namespaces/${namespace}/secrets`;
    const auths = { auths: { [host]: realUser } };
    put(secrets, {
      kind: 'Secret',
      metadata: { name: 'login', namespace },
      type: 'kubernetes.io/dockerconfigjson',
      data: { '.dockerconfigjson': base64(JSON.stringify(auths)) },
    });
    put(secrets, {
      kind: 'Secret',
      metadata: { name: 'key', namespace, annotations: { 'kpack.io/slsa': '' } },
      data: { 'cosign.key': base64(pair.pem), 'cosign.password': base64('p') },
    });
    return world;
  };

  /** The one layer of what is kept under the tag. */
  const layerAt = async (tag: TagReference) => {
    const { bytes } = await registry.getManifest(tag);
    const { layers } = JSON.parse(new TextDecoder().decode(bytes)) as {
      readonly layers: readonly { digest: Digest; size: number; annotations: Record<string, string> }[];
    };
    const [layer] = layers;
    if (layer === undefined || layers.length !== 1) throw new Error(`${tag.tag} has ${layers.length} layers`);
    return { annotations: layer.annotations, content: Buffer.from(await registry.readBlob(tag, layer)) };
  };

  const madeBy = (world: BuildWorld) => {
    const { latestImage = '' } = world.build().status as { readonly latestImage?: string };
    const image = parseReference(latestImage);
    if (image.digest === undefined) throw new Error(`${latestImage} has no digest`);
    return image;
  };

  const verifier = new Verifier(
    {
      certificateAuthorities: [],
      timestampAuthorities: [],
      tlogs: [],
      ctlogs: [],
      publicKey: () => ({ publicKey: pair.publicKey, validFor: () => true }),
    },
    { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 },
  );

  it('moves all tags, and @sigstore/verify accepts the signature of the new digest', async () => {
    const world = await prepare('2');
    await world.pass();
    expect(world.condition()).toEqual({ type: 'Succeeded', status: 'True', reason: 'Completed' });
    expect(world.cluster.has(podPath)).toBe(false);
    const image = madeBy(world);
    for (const tag of ['apps/a:latest', 'apps/a:b2', 'elsewhere/a:b2'])
      expect((await registry.headManifest(parseReference(`${real.host}/${tag}`)))?.digest).toBe(image.digest);
    const { content, annotations } = await layerAt(signatureTag(image.digest, image));
    expect(JSON.parse(content.toString())).toMatchObject({
      critical: { image: { 'docker-manifest-digest': image.digest } },
      optional: { buildNumber: '12', buildTimestamp: '19440606.133000' },
    });
    const signature = Buffer.from(annotations['dev.cosignproject.cosign/signature'] ?? '', 'base64');
    const digest = createHash('sha256').update(content).digest();
    const bundle = toMessageSignatureBundle({ digest, signature, keyHint: 'k' });
    expect(verifier.verify(toSignedEntity(bundle, content)).key).toBeDefined();
  });

  it('attests the new digest, and openssl accepts the envelope', async () => {
    const world = await prepare('3');
    await world.pass();
    const image = madeBy(world);
    const { content } = await layerAt(attestationTag(image.digest, image));
    const { payloadType, payload, signatures } = JSON.parse(content.toString()) as {
      readonly payloadType: string;
      readonly payload: string;
      readonly signatures: readonly { readonly keyid: string; readonly sig: string }[];
    };
    const statement = Buffer.from(payload, 'base64');
    expect(JSON.parse(statement.toString())).toMatchObject({
      subject: [{ digest: { sha256: image.digest.slice('sha256:'.length) } }],
    });
    expect(signatures.map(({ keyid }) => keyid)).toEqual(['key']);
    const folder = await mkdtemp(join(tmpdir(), 'kpackless-rebased-'));
    try {
      await writeFile(join(folder, 'pae'), preAuthenticationEncoding(payloadType, statement));
      await writeFile(join(folder, 'sig'), Buffer.from(signatures[0]?.sig ?? '', 'base64'));
      await writeFile(join(folder, 'pub'), pair.publicKey.export({ format: 'pem', type: 'spki' }));
      const args = ['dgst', '-sha256', '-verify', 'pub', '-signature', 'sig', 'pae'];
      expect(execFileSync('openssl', args, { cwd: folder, encoding: 'utf8' }).trim()).toBe('Verified OK');
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('signs the same image once, however often it is rebased', async () => {
    const first = await prepare('4');
    await first.pass();
    const again = await prepare('4');
    await again.pass();
    expect(madeBy(again)).toEqual(madeBy(first));
    const image = madeBy(again);
    await layerAt(signatureTag(image.digest, image));
  });
});
