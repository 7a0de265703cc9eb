/** Provenance of what was built, in a registry that is real but for its memory (spec 02 §6.7, spec 03 §19). */
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openRegistry } from '../../../lib/oci/client.ts';
import type { Digest } from '../../../lib/oci/digest.ts';
import { parseRepository } from '../../../lib/oci/reference.ts';
import { attestationTag } from '../../../lib/signing/attestation.ts';
import { preAuthenticationEncoding } from '../../../lib/signing/dsse.ts';
import { isSignedBy } from '../../../lib/signing/signature.ts';
import { cosignKey } from '../../support/cosign-key.ts';
import { type FakeRegistry, startFakeRegistry } from '../../support/fake-registry.ts';
import { rebaseB } from './base-build.ts';
import {
  appFacts,
  builderFacts,
  buildWorld,
  completionMessage,
  digestOf,
  namespace,
  succeededPod,
  type WorldOptions,
} from './build-world.ts';

let registry: FakeRegistry;
beforeEach(async () => {
  registry = await startFakeRegistry();
});
afterEach(async () => await registry.close());

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const source = {
  source: { type: 'git', version: { commit: 'c'.repeat(40) }, metadata: { repository: 'https://git.example/a' } },
};
const builtFacts = {
  ...appFacts,
  labels: { ...appFacts.labels, 'io.buildpacks.project.metadata': JSON.stringify(source) },
};
const builderImage = 'builder.example/team/builder';
const systemNamespace = '/api/v1/namespaces/system';

interface Statement {
  readonly subject: readonly object[];
  readonly predicate: {
    readonly buildDefinition: {
      readonly externalParameters: object;
      readonly internalParameters: object;
      readonly resolvedDependencies: readonly object[];
    };
    readonly runDetails: {
      readonly builder: {
        readonly id: string;
        readonly builderDependencies: readonly { readonly name: string; readonly content: string }[];
      };
      readonly metadata: object;
    };
  };
}
interface Envelope {
  readonly payloadType: string;
  readonly payload: string;
  readonly signatures: readonly { readonly keyid: string; readonly sig: string }[];
}

/** A world whose pod ended well, with attesting on. */
const attestingWorld = (options: WorldOptions = {}) => {
  const app = `${registry.host}/team/app`;
  const world = buildWorld({
    ...options,
    spec: { tags: [app], builder: { image: builderImage }, ...options.spec },
    attest: {
      systemAccount: { namespace: 'system', name: 'controller' },
      internalParameters: { systemNamespace: 'system' },
      release: 'v1',
      registryFor: () => Promise.resolve(openRegistry()),
    },
  });
  world.cluster.put('/api/v1/namespaces', { kind: 'Namespace', metadata: { name: namespace } });
  world.cluster.put(`${systemNamespace}/serviceaccounts`, {
    kind: 'ServiceAccount',
    metadata: { name: 'controller', namespace: 'system' },
  });
  world.images.known.set(builderImage, builderFacts);
  const image = `${app}@${digestOf('a')}`;
  world.images.known.set(image, builtFacts);
  /** An account of that namespace lists these Secrets. */
  const give = (where: string, account: string, secrets: Record<string, object>): void => {
    const base = `/api/v1/namespaces/${where}`;
    world.cluster.remove(`${base}/serviceaccounts/${account}`);
    world.cluster.put(`${base}/serviceaccounts`, {
      kind: 'ServiceAccount',
      metadata: { name: account, namespace: where },
      secrets: [...Object.keys(secrets), ...(where === 'system' ? ['missing'] : [])].map((name) => ({ name })),
    } as object);
    for (const [name, { annotated = true, ...data }] of Object.entries<Record<string, unknown>>(
      secrets as Record<string, Record<string, unknown>>,
    ))
      world.cluster.put(`${base}/secrets`, {
        kind: 'Secret',
        metadata: { name, namespace: where, ...(annotated === true ? { annotations: { 'kpack.io/slsa': '' } } : {}) },
        data,
      } as object);
  };
  return {
    ...world,
    image,
    give,
    built: async () => {
      await world.pass();
      const status = succeededPod(completionMessage({ latestImage: image }));
      world.podSays({
        ...status,
        initContainerStatuses:
          status.initContainerStatuses?.map((one) => ({
            ...one,
            state: {
              terminated: { exitCode: 0, startedAt: '2026-11-21T08:00:01Z', finishedAt: '2026-11-21T08:00:02Z' },
            },
          })) ?? [],
        containerStatuses:
          status.containerStatuses?.map((one) => ({
            ...one,
            state: { terminated: { ...one.state?.terminated, exitCode: 0, finishedAt: '2026-11-21T08:01:00Z' } },
          })) ?? [],
      });
      return world.pass();
    },
    attestation: async () => {
      const tag = attestationTag(digestOf('a') as Digest, parseRepository(app));
      const { bytes, digest } = await openRegistry().getManifest(tag);
      const manifest = JSON.parse(new TextDecoder().decode(bytes)) as {
        layers: { digest: Digest; size: number; mediaType: string; annotations: object }[];
      };
      const [layer] = manifest.layers;
      if (layer === undefined) throw new Error('the attestation has no layer');
      const envelope = JSON.parse(
        Buffer.from(await openRegistry().readBlob(parseRepository(app), layer)).toString('utf8'),
      ) as Envelope;
      const payload = Buffer.from(envelope.payload, 'base64');
      return { digest, tag, layer, envelope, payload, statement: JSON.parse(payload.toString('utf8')) as Statement };
    },
  };
};

const names = ({ predicate }: Statement): readonly string[] =>
  predicate.runDetails.builder.builderDependencies.map(({ name }) => name);
const pkcs8 = (key: KeyObject): string => base64(key.export({ format: 'pem', type: 'pkcs8' }).toString());

describe('an attestation', () => {
  it('02#169 03#168 03#170 without keys is unsigned, beside the image, and named in the status', async () => {
    const world = attestingWorld();
    await world.built();
    const { digest, tag, layer, envelope, statement } = await world.attestation();
    expect(tag.tag).toBe(`sha256-${'a'.repeat(64)}.att`);
    expect(world.build().status).toMatchObject({ latestAttestationImage: `${registry.host}/team/app@${digest}` });
    expect(world.condition()).toEqual({ type: 'Succeeded', status: 'True', reason: 'Completed' });
    expect(layer).toMatchObject({
      mediaType: 'application/vnd.dsse.envelope.v1+json',
      annotations: { predicateType: 'https://slsa.dev/provenance/v1', 'dev.cosignproject.cosign/signature': '' },
    });
    expect(envelope).toMatchObject({ payloadType: 'application/vnd.in-toto+json', signatures: [] });
    expect(statement.subject).toEqual([{ name: `${registry.host}/team/app`, digest: { sha256: 'a'.repeat(64) } }]);
    expect(names(statement)).toEqual(['Namespace', 'Build', 'Pod', 'ServiceAccount']);
    const { buildDefinition, runDetails } = statement.predicate;
    expect(buildDefinition.externalParameters).toEqual(JSON.parse(JSON.stringify(world.build().spec)));
    expect(buildDefinition.internalParameters).toEqual({ builderImage, systemNamespace: 'system' });
    expect(buildDefinition.resolvedDependencies).toMatchObject([
      { name: 'source', uri: 'https://git.example/a', digest: { sha1: 'c'.repeat(40) } },
      { name: 'builder-image', digest: { sha256: 'b'.repeat(64) }, annotations: builderFacts.labels },
    ]);
    expect(runDetails.builder.id).toBe('https://kpack.io/slsa/unsigned-build');
    expect(runDetails.metadata).toEqual({
      invocationID: `https://kpack.io/${namespace}/build-name/build-name-build-pod@`,
      startedOn: '2026-11-21T08:00:01Z',
      finishedOn: '2026-11-21T08:01:00Z',
    });
  });

  it('02#170 is signed with an RSA key of the Build’s account, and openssl verifies it', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const world = attestingWorld();
    world.give(namespace, 'someserviceaccount', { rsa: { 'ssh-privatekey': pkcs8(privateKey) } });
    await world.built();
    const { envelope, payload, statement } = await world.attestation();
    expect(statement.predicate.runDetails.builder.id).toBe('https://kpack.io/slsa/signed-build');
    expect(names(statement)).toEqual(['Namespace', 'Build', 'Pod', 'ServiceAccount', 'Secrets']);
    expect(envelope.signatures.map(({ keyid }) => keyid)).toEqual(['rsa']);
    const folder = await mkdtemp(join(tmpdir(), 'kpackless-attest-'));
    try {
      await writeFile(join(folder, 'pae'), preAuthenticationEncoding(envelope.payloadType, payload));
      await writeFile(join(folder, 'sig'), Buffer.from(envelope.signatures[0]?.sig ?? '', 'base64'));
      await writeFile(join(folder, 'pub'), publicKey.export({ format: 'pem', type: 'spki' }));
      const said = execFileSync('openssl', ['dgst', '-sha256', '-verify', 'pub', '-signature', 'sig', 'pae'], {
        cwd: folder,
        encoding: 'utf8',
      });
      expect(said.trim()).toBe('Verified OK');
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('02#171 03#169 is signed by every annotated key: cosign’s before others, the system’s before the tenant’s', async () => {
    const own = cosignKey('p');
    const system = cosignKey('');
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const world = attestingWorld();
    world.give('system', 'controller', {
      ed: { 'ssh-privatekey': pkcs8(privateKey) },
      sys: { 'cosign.key': base64(system.pem), 'cosign.password': '' },
    });
    world.give(namespace, 'someserviceaccount', {
      own: { 'cosign.key': base64(own.pem), 'cosign.password': base64('p') },
    });
    await world.built();
    const { envelope, payload, statement } = await world.attestation();
    const signed = preAuthenticationEncoding(envelope.payloadType, payload);
    const keys = { sys: system.publicKey, own: own.publicKey, ed: publicKey };
    expect(envelope.signatures.map(({ keyid }) => keyid)).toEqual(['sys', 'own', 'ed']);
    for (const { keyid, sig } of envelope.signatures)
      expect(isSignedBy(signed, Buffer.from(sig, 'base64'), keys[keyid as keyof typeof keys])).toBe(true);
    expect(names(statement)).toHaveLength(5);
  });

  it('02#172 is not signed with a key that nobody annotated, and names its Secret all the same', async () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    const world = attestingWorld();
    world.give(namespace, 'someserviceaccount', { k: { annotated: false, 'ssh-privatekey': pkcs8(privateKey) } });
    await world.built();
    const { envelope, statement } = await world.attestation();
    expect(envelope.signatures).toEqual([]);
    expect(names(statement).at(-1)).toBe('Secrets');
    const { content = '' } = statement.predicate.runDetails.builder.builderDependencies.at(-1) ?? {};
    expect(JSON.parse(Buffer.from(content, 'base64').toString('utf8'))).toMatchObject([{ name: 'k' }]);
  });

  it('02#174 of a Build with a builder reference names the image that the pod ran', async () => {
    const world = attestingWorld({ spec: { builder: { ref: { kind: 'ClusterBuilder', name: 'cb' } } } });
    const builders = '/apis/kpack.io/v1alpha2/clusterbuilders';
    const builder = (latestImage: string) =>
      ({
        kind: 'ClusterBuilder',
        metadata: { name: 'cb' },
        spec: { serviceAccountRef: { namespace: 'builders', name: 'reader' } },
        status: { latestImage },
      }) as object;
    const [ran, newer] = [`cb.example/builder@${digestOf('b')}`, `cb.example/builder@${digestOf('e')}`];
    world.images.known.set(ran, builderFacts);
    world.images.known.set(newer, { ...builderFacts, digest: digestOf('e') });
    world.cluster.put(builders, builder(ran));
    await world.pass();
    world.cluster.remove(`${builders}/cb`);
    world.cluster.put(builders, builder(newer));
    await world.built();
    const { statement } = await world.attestation();
    expect(statement.predicate.buildDefinition.resolvedDependencies[1]).toMatchObject({
      uri: 'cb.example/builder',
      digest: { sha256: 'b'.repeat(64) },
    });
  });

  it('of a rebase without a pod names none', async () => {
    const { spec, metadata } = rebaseB();
    const world = attestingWorld({
      spec: { ...spec, tags: [`${registry.host}/team/app`], builder: { image: builderImage } },
      metadata: { annotations: metadata.annotations ?? {} },
    });
    world.images.onRebase = () => builtFacts;
    await world.pass();
    expect(world.condition()).toMatchObject({ status: 'True' });
    const { statement } = await world.attestation();
    expect(names(statement)).toEqual(['Namespace', 'Build', 'ServiceAccount']);
    expect(statement.predicate.runDetails.metadata).toEqual({
      invocationID: `https://kpack.io/${namespace}/build-name`,
      finishedOn: '2026-11-21T09:00:00Z',
    });
  });
});

describe('an attestation that fails', () => {
  it('02#173 is tried again for a while; then the Build has succeeded without, and says why (kpack never ends it)', async () => {
    const world = attestingWorld();
    await registry.close();
    expect(await world.built()).toMatchObject({ outcome: { name: 'OciError' } });
    expect(world.condition()).toMatchObject({ status: 'Unknown', reason: 'Retrying' });
    await world.pass({ attempts: 6 });
    expect(world.condition()).toMatchObject({ status: 'True', reason: 'Completed' });
    expect(world.condition()['message']).toMatch(/^the image was built and pushed, but not attested: /);
    expect(world.build().status).not.toHaveProperty('latestAttestationImage');
    expect(world.build().status).toMatchObject({ latestImage: world.image });
    registry = await startFakeRegistry();
  });

  it.each([
    ['an unusable key', 'Secret some-namespace/k: the PKCS#8 key holds no PKCS#8 private key'],
    ['an image that does not say its source', 'label not found'],
  ])('for good, by %s, is said at once and without the key', async (what, message) => {
    const world = attestingWorld();
    const bad = base64('-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n');
    if (what === 'an unusable key') world.give(namespace, 'someserviceaccount', { k: { 'ssh-privatekey': bad } });
    else world.images.known.set(world.image, appFacts);
    await world.built();
    expect(world.condition()).toMatchObject({ status: 'True' });
    expect(world.condition()['message']).toContain(message);
    expect(world.condition()['message']).not.toContain('c2VjcmV0');
  });

  it('because the system’s Secrets may not be read is given up sooner: somebody has to act', async () => {
    const world = attestingWorld();
    world.cluster.failNext('GET', '/namespaces/system/serviceaccounts', 403, { message: 'forbidden' });
    expect(await world.built()).toMatchObject({ outcome: { pace: 'slow' } });
    world.cluster.failNext('GET', '/namespaces/system/serviceaccounts', 403, { message: 'forbidden' });
    await world.pass({ attempts: 3 });
    expect(world.condition()).toMatchObject({ status: 'True' });
    expect(world.condition()['message']).toContain('forbidden');
  });
});
