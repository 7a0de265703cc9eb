/** Provenance of what was built, in a registry that is real but for its memory (spec 02 §6.7, spec 03 §19). */
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { preAuthenticationEncoding } from '../../../lib/signing/dsse.ts';
import { isSignedBy } from '../../../lib/signing/signature.ts';
import { cosignKey } from '../../support/cosign-key.ts';
import { type FakeRegistry, startFakeRegistry } from '../../support/fake-registry.ts';
import {
  type AttestingWorld,
  attestingWorld as attesting,
  base64,
  builderImage,
  commit,
  ranWell,
  type Statement,
} from './attesting-world.ts';
import { rebaseB } from './base-build.ts';
import { appFacts, builderFacts, digestOf, namespace, type WorldOptions } from './build-world.ts';

let registry: FakeRegistry;
beforeEach(async () => {
  registry = await startFakeRegistry();
});
afterEach(async () => await registry.close());

const attestingWorld = (options?: WorldOptions): AttestingWorld => attesting(registry, options);

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
    expect(buildDefinition.internalParameters).toEqual({
      builderImage: `${builderImage}@${digestOf('b')}`,
      systemNamespace: 'system',
    });
    expect(buildDefinition.resolvedDependencies).toMatchObject([
      { name: 'source', uri: 'https://github.com/a/b', digest: { sha1: commit } },
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
      spec: {
        ...spec,
        tags: [`${registry.host}/team/app`],
        builder: { image: builderImage },
        lastBuild: { image: `registry.example/previous@${digestOf('9')}`, stackId: 'S' },
      },
      metadata: { annotations: metadata.annotations ?? {} },
    });
    world.images.onRebase = () => appFacts;
    await world.pass();
    expect(world.condition()).toMatchObject({ status: 'True' });
    const { statement } = await world.attestation();
    expect(names(statement)).toEqual(['Namespace', 'Build', 'ServiceAccount']);
    expect(statement.predicate.buildDefinition.resolvedDependencies).toMatchObject([
      { name: 'previous-image', uri: 'registry.example/previous', digest: { sha256: '9'.repeat(64) } },
      { name: 'builder-image' },
    ]);
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
    ['a step that does not say the source', 'the step prepare does not say what it fetched'],
  ])('for good, by %s, is said at once and without the key', async (what, message) => {
    const world = attestingWorld();
    const bad = base64('-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n');
    if (what === 'an unusable key') world.give(namespace, 'someserviceaccount', { k: { 'ssh-privatekey': bad } });
    await world.pass();
    const { initContainerStatuses, ...rest } = world.endedWell();
    world.podSays({
      ...rest,
      initContainerStatuses:
        what === 'an unusable key' ? initContainerStatuses : initContainerStatuses.map(({ name }) => ranWell(name)),
    });
    await world.pass();
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
