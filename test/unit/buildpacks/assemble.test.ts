import { describe, expect, it } from 'vitest';
import { assembleBuilder, type BuilderParts } from '../../../lib/buildpacks/assemble.ts';
import { sha } from './readable.ts';

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const parsed = (bytes: Uint8Array): Readonly<Record<string, unknown>> =>
  JSON.parse(text(bytes)) as Readonly<Record<string, unknown>>;

const supported = ['0.7', '0.8', '0.9', '0.10', '0.11'];
const someStack = { stacks: [{ id: '*' }] };

/** The parts of vector C, spec 04 §12. */
const vectorC: BuilderParts = {
  base: {
    manifest: {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', size: 1, digest: sha('b') },
      layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', size: 5, digest: sha('0') }],
      subject: { digest: sha('7') },
      annotations: { z: '1', a: '2' },
    },
    config: {
      architecture: 'amd64',
      created: '2024-01-02T03:04:05.120000000Z',
      container_config: { Cmd: ['x'] },
      history: [{ created: '2024-01-02T03:04:05Z', created_by: 'base' }],
      os: 'linux',
      rootfs: { type: 'layers', diff_ids: [sha('1')] },
      config: {
        Env: ['PATH=/usr/bin', 'CNB_USER_ID=1000', 'CNB_GROUP_ID=1000'],
        Labels: { 'io.buildpacks.stack.id': 'org.some.stack' },
        User: '1000:1000',
      },
    },
  },
  userId: 1000,
  groupId: 1000,
  lifecycleLayer: { descriptor: { mediaType: 'x', size: 1, digest: sha('8') }, diffId: sha('2') },
  lifecycle: {
    version: '0.20.11',
    api: { buildpack: '0.7', platform: '0.7' },
    apis: {
      buildpack: { deprecated: null, supported },
      platform: { deprecated: [], supported: [...supported, '0.12', '0.13'] },
    },
  },
  runImage: `registry.example.com/builders/demo:builder-ns-demo-run-image@${sha('e')}`,
  buildpacks: [
    {
      id: 'some/bp',
      version: '1.2.3',
      api: '0.10',
      diffId: sha('4'),
      digest: sha('c'),
      size: 9,
      homepage: 'https://example.com/bp?a=1&b=2',
      ...someStack,
    },
    {
      id: 'some/meta',
      version: '2.0.0',
      api: '0.10',
      diffId: sha('3'),
      digest: sha('d'),
      size: 8,
      order: [{ group: [{ id: 'some/bp', version: '1.2.3' }] }],
    },
  ],
  order: [
    { group: [{ id: 'some/meta', version: '2.0.0', optional: false }] },
    { group: [{ id: 'some/bp', version: '1.2.3', optional: true }] },
  ],
  additionalLabels: { team: 'a<b>&c' },
  creatorVersion: 'v0.0.0 (git sha: 000)',
};

const labelsOf = (parts: BuilderParts): Record<string, string> =>
  (parsed(assembleBuilder(parts).config.bytes)['config'] as { readonly Labels: Record<string, string> }).Labels;

describe('a builder image', () => {
  it('04#89 has the config kpack writes, to the byte', () => {
    const { config } = assembleBuilder(vectorC);
    expect(config.bytes.length).toBe(2851);
    expect(config.digest).toBe('sha256:1604e0c27add40f0565eb5453b95669107f8762e0882ca68f7445c0f79b986c4');
  });

  it('04#69 has base, directories, lifecycle, buildpacks, stack.toml and order.toml, each diffID once', () => {
    const [bp, meta] = vectorC.buildpacks;
    const twin = { ...bp, id: 'twin', digest: sha('f') };
    const { config, layers } = assembleBuilder({ ...vectorC, buildpacks: [bp, meta, twin].flatMap((b) => b ?? []) });
    const { diff_ids } = parsed(config.bytes)['rootfs'] as { readonly diff_ids: readonly string[] };
    expect(diff_ids.slice(0, 5).map((id) => id.slice(7, 11))).toEqual(['1111', '6aa3', '2222', '4444', '3333']);
    expect(diff_ids).toHaveLength(7);
    expect(layers).toHaveLength(3);
    expect(labelsOf({ ...vectorC, buildpacks: [twin] })['io.buildpacks.buildpack.layers']).toContain('"twin"');
  });

  it('04#90 takes additional labels, but not over its own', () => {
    const labels = labelsOf({
      ...vectorC,
      additionalLabels: { 'io.buildpacks.buildpack.order': 'mine', 'io.buildpacks.stack.id': 'mine' },
    });
    expect(labels['io.buildpacks.stack.id']).toBe('mine');
    expect(labels['io.buildpacks.buildpack.order']).toContain('some/meta');
  });

  it('04#91 stays an OCI image on an OCI base, keeps its annotations and drops its subject', () => {
    const { manifest, mediaType } = assembleBuilder(vectorC);
    expect(mediaType).toBe('application/vnd.oci.image.manifest.v1+json');
    const document = parsed(manifest.bytes);
    expect(Object.keys(document)).toEqual(['schemaVersion', 'mediaType', 'config', 'layers', 'annotations']);
    expect(document['annotations']).toEqual({ a: '2', z: '1' });
    const types = (document['layers'] as readonly { readonly mediaType: string }[]).map((layer) => layer.mediaType);
    expect(types[0]).toBe('application/vnd.oci.image.layer.v1.tar+gzip');
    expect(types[3]).toBe('application/vnd.docker.image.rootfs.diff.tar.gzip');
  });

  it('04#92 may have no order', () => {
    expect(labelsOf({ ...vectorC, order: [], buildpacks: [] })['io.buildpacks.buildpack.order']).toBe('null');
  });

  it('sorts versions that look like numbers as text', () => {
    const [bp] = vectorC.buildpacks;
    const buildpacks = ['9', '10'].flatMap((version) => (bp === undefined ? [] : [{ ...bp, version }]));
    expect(labelsOf({ ...vectorC, buildpacks })['io.buildpacks.buildpack.layers']).toMatch(/"10":.*"9":/);
  });

  it('04#76 is the same however often it is made', () => {
    const digests = new Set(Array.from({ length: 5 }, () => assembleBuilder(vectorC).manifest.digest));
    expect(digests.size).toBe(1);
  });
});
