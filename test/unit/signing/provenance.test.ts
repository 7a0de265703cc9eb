import { describe, expect, it } from 'vitest';
import { dependency, type ProvenanceFacts, provenanceStatement } from '../../../lib/signing/provenance.ts';

const hex = (letter: string): string => letter.repeat(64);
describe('a dependency', () => {
  const decoded = (content = ''): string => Buffer.from(content, 'base64').toString('utf8');

  it('03#188 is an object’s name and version, or a list of them under one name', () => {
    const one = dependency('Namespace', { name: 'some-namespace', resourceVersion: '5' });
    expect(one).toMatchObject({ name: 'Namespace', mediaType: 'application/json' });
    expect(decoded(one.content)).toBe('{"name":"some-namespace","resourceVersion":"5"}');
    const several = dependency('Secrets', [
      { name: 'a', resourceVersion: '1' },
      { name: 'b', resourceVersion: '2' },
    ]);
    expect(decoded(several.content)).toBe('[{"name":"a","resourceVersion":"1"},{"name":"b","resourceVersion":"2"}]');
  });
});

describe('a statement', () => {
  const facts: ProvenanceFacts = {
    subject: { repository: 'registry.example/app', digest: `sha256:${hex('a')}` },
    externalParameters: { tags: ['registry.example/app'] },
    internalParameters: { systemNamespace: 'kpack' },
    material: { name: 'source', uri: 'u', digest: { sha1: 's' } },
    builder: { repository: 'registry.example/builder', digest: `sha256:${hex('b')}`, labels: { l: 'v' } },
    lifecycleVersion: '0.21.0',
    release: 'v1',
    isSigned: false,
    dependencies: [],
    invocationId: 'https://kpack.io/ns/build/pod@node',
    finishedOn: '2026-11-21T09:00:00Z',
  };
  const made = (given: Partial<ProvenanceFacts> = {}): unknown =>
    JSON.parse(Buffer.from(provenanceStatement({ ...facts, ...given })).toString('utf8'));

  it('has subject, parameters, materials and builder where SLSA v1 and kpack have them', () => {
    expect(made()).toEqual({
      _type: 'https://in-toto.io/Statement/v0.1',
      predicateType: 'https://slsa.dev/provenance/v1',
      subject: [{ name: 'registry.example/app', digest: { sha256: hex('a') } }],
      predicate: {
        buildDefinition: {
          buildType: 'https://github.com/buildpacks-community/kpack/blob/v0.17.2/docs/slsa.md',
          externalParameters: { tags: ['registry.example/app'] },
          internalParameters: { systemNamespace: 'kpack' },
          resolvedDependencies: [
            { name: 'source', uri: 'u', digest: { sha1: 's' } },
            {
              name: 'builder-image',
              uri: 'registry.example/builder',
              digest: { sha256: hex('b') },
              annotations: { l: 'v' },
            },
          ],
        },
        runDetails: {
          builder: {
            id: 'https://kpack.io/slsa/unsigned-build',
            version: { kpack: '0.17.2', kpackless: 'v1', lifecycle: '0.21.0' },
            builderDependencies: [],
          },
          metadata: { invocationID: 'https://kpack.io/ns/build/pod@node', finishedOn: '2026-11-21T09:00:00Z' },
        },
      },
    });
  });

  it('names the builder that signs when it is signed', () => {
    expect(made({ isSigned: true })).toMatchObject({
      predicate: { runDetails: { builder: { id: 'https://kpack.io/slsa/signed-build' } } },
    });
  });
});
