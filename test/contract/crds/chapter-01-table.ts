/** Cases of spec 01 §12 that are one object written once: what it says beside a good one, and kpack's answer; none where kpack takes it. */
import type { Kind } from '../../../lib/api/kinds.ts';
import type { Json } from '../../support/golden-objects.ts';
import type { Sent } from './replay.ts';

/** A row of the table. */
export interface Row {
  readonly number: number;
  readonly given: string;
  readonly object: Sent;
  /** Who writes it; a user without. */
  readonly as?: string;
  readonly kpack?: string;
}

const git = { url: 'https://git.example/app', revision: 'main' };
const specs: Readonly<Record<Kind, Json>> = {
  Image: { tag: 'some/image', builder: { kind: 'ClusterBuilder', name: 'b' }, source: { git } },
  Build: { tags: ['some/image'], builder: { image: 'some/builder' }, source: { git } },
  Builder: { tag: 'some/builder', stack: { name: 's' } },
  ClusterBuilder: {
    tag: 'some/builder',
    stack: { kind: 'ClusterStack', name: 's' },
    serviceAccountRef: { name: 'a', namespace: 'n' },
  },
  ClusterStack: { id: 'i', buildImage: { image: 'some/build' }, runImage: { image: 'some/run' } },
  ClusterStore: { sources: [{ image: 'ok/a' }] },
  ClusterLifecycle: { image: 'some/lifecycle' },
  Buildpack: { image: 'some/buildpack' },
  ClusterBuildpack: { image: 'some/buildpack' },
  SourceResolver: { source: { git } },
};

/** A good object with another spec; undefined takes a field away. */
export const anObject = (kind: Kind, spec: Json, version = 'v1alpha2'): Sent => ({
  apiVersion: `kpack.io/${version}`,
  kind,
  metadata: { name: 'case' },
  spec: { ...specs[kind], ...spec },
});

/** kpack's controller, whose name kpack compares with. */
const controller = 'system:serviceaccount:kpack:controller';

const row = (number: number, given: string, object: Sent, kpack?: string): Row => ({
  number,
  given,
  object,
  ...(kpack === undefined ? {} : { kpack }),
});
const image = (number: number, given: string, spec: Json, kpack?: string): Row =>
  row(number, given, anObject('Image', spec), kpack);
const build = (number: number, given: string, spec: Json, kpack?: string): Row =>
  row(number, given, anObject('Build', spec), kpack);
const group = (...members: readonly Json[]): Json => ({ order: [{ group: members }] });
const blob = (fields: Json): Json => ({ source: { blob: { url: 'https://x.example/a', ...fields } } });
const deprecated = (what: string): string =>
  `use of this field has been deprecated in v1alpha2, please use v1alpha1 for ${what}`;

const digest = 'a'.repeat(64);
const longName = 'a'.repeat(64);

/** The rows, in the order of the chapter. */
export const rows: readonly Row[] = [
  image(
    5,
    'a limit of 0 successful builds',
    { successBuildHistoryLimit: 0 },
    'build history limit must be greater than 0: spec.successBuildHistoryLimit',
  ),
  image(
    6,
    'both limits 0, where we tell of both',
    { failedBuildHistoryLimit: 0, successBuildHistoryLimit: 0 },
    'build history limit must be greater than 0: spec.failedBuildHistoryLimit',
  ),
  image(7, 'an empty tag', { tag: '' }, 'missing field(s): spec.tag'),
  image(8, 'a tag that is none', { tag: 'ftp//invalid/tag@@' }, 'invalid value: ftp//invalid/tag@@: spec.tag'),
  image(
    9,
    'a tag by digest',
    { tag: `some/app@sha256:${digest}` },
    `invalid value: some/app@sha256:${digest}: spec.tag`,
  ),
  image(
    11,
    'additional tags of two registries',
    { additionalTags: ['valid/tag', 'gcr.io/valid/tag'] },
    'all additionalTags must have the same registry as tag: spec.additionalTags\nexpected registry: index.docker.io, got: gcr.io',
  ),
  image(12, 'Docker Hub by both its names', { additionalTags: ['docker.io/a/b'] }),
  image(
    13,
    'two additional tags that are none',
    { additionalTags: ['valid/tag', 'invalid/tag@sha256:thisisatag', 'also/invalid@@'] },
    'invalid value: also/invalid@@: spec.additionalTags[2]\ninvalid value: invalid/tag@sha256:thisisatag: spec.additionalTags[1]',
  ),
  image(
    14,
    'a builder without name and of a bad kind, where we tell of both',
    { builder: { name: '', kind: 'Bad' } },
    'missing field(s): spec.builder.name',
  ),
  image(
    15,
    'a builder of a kind that is none',
    { builder: { name: 'b', kind: 'FakeBuilder' } },
    'invalid value: FakeBuilder: spec.builder.kind',
  ),
  image(
    17,
    'an empty tag and a bad builder',
    { tag: '', builder: { name: 'b', kind: 'FakeBuilder' } },
    'invalid value: FakeBuilder: spec.builder.kind\nmissing field(s): spec.tag',
  ),
  image(
    18,
    'no source',
    { source: {} },
    'expected exactly one, got neither: spec.source.blob, spec.source.git, spec.source.registry',
  ),
  image(
    19,
    'two sources',
    { source: { git, blob: { url: 'https://x.example/a' } } },
    'expected exactly one, got both: spec.source.blob, spec.source.git',
  ),
  image(
    20,
    'git without url and revision',
    { source: { git: {} } },
    'missing field(s): spec.source.git.revision, spec.source.git.url',
  ),
  image(
    21,
    'a blob of a bad auth and without url, where we tell of both',
    blob({ auth: 'foo', url: '' }),
    "invalid value: foo: spec.source.blob.auth\nmust be one of '', 'helper', or 'secret'",
  ),
  image(
    22,
    'stripComponents of -1',
    blob({ stripComponents: -1 }),
    'expected positive integer got -1: spec.source.blob.stripComponents',
  ),
  image(23, 'stripComponents of 0', blob({ stripComponents: 0 })),
  image(
    24,
    'a source image that is none',
    { source: { registry: { image: 'NotValid@@!' } } },
    'invalid value: NotValid@@!: spec.source.registry.image',
  ),
  image(25, 'a source image with tag and digest', { source: { registry: { image: `some/app:1@sha256:${digest}` } } }),
  image(
    26,
    'the system in nodeSelector and a bad service, where we tell of both',
    { build: { nodeSelector: { 'kubernetes.io/os': 'linux' }, services: [{ name: '&', kind: 'Secret' }] } },
    'invalid key name "kubernetes.io/os": spec.build.nodeSelector\nos is determined automatically',
  ),
  ...['now', '', '1566172801', '-5'].map((creationTime) =>
    image(27, `creationTime ${creationTime}`, { build: { creationTime } }),
  ),
  image(
    28,
    'a creationTime that is none',
    { build: { creationTime: 'invalidTimestamp' } },
    'invalid value: invalidTimestamp: spec.build.creationTime',
  ),
  image(
    29,
    'a variable from a Secret',
    { build: { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }] } },
    'secretKeyRef is not supported for build environment variables: spec.build.env[0].valueFrom.secretKeyRef',
  ),
  image(
    31,
    'two services of one name',
    { build: { services: ['apm', 'x', 'apm'].map((name) => ({ name, kind: 'Secret' })) } },
    'duplicate service name "apm": spec.build.services[0].name, spec.build.services[2].name',
  ),
  image(
    32,
    'a service without name',
    { build: { services: [{ kind: 'Secret' }] } },
    'missing field(s): spec.build.services[0].name',
  ),
  image(
    33,
    'a service of a bad name',
    { build: { services: [{ name: '&', kind: 'Secret' }] } },
    'invalid value: &: spec.build.services[0].name',
  ),
  image(
    34,
    'bindings by a user',
    { build: { cnbBindings: [{ name: 'b', metadataRef: { name: 'm' } }] } },
    `${deprecated('CNB bindings')}: spec.build.cnbBindings`,
  ),
  {
    ...image(
      35,
      'a binding without metadata by the controller',
      { build: { cnbBindings: [{ name: 'b' }] } },
      'missing field(s): spec.build.cnbBindings[0].metadataRef',
    ),
    as: controller,
  },
  image(
    36,
    'notary by a user',
    { notary: { v1: { url: 'https://n', secretRef: { name: 's' } } } },
    `${deprecated('notary image signing')}: spec.notary`,
  ),
  {
    ...image(
      37,
      'notary without url by the controller',
      { notary: { v1: { url: '', secretRef: { name: 's' } } } },
      'missing field(s): spec.notary.v1.url',
    ),
    as: controller,
  },
  image(
    39,
    'cosign annotations of half a pair',
    { cosign: { annotations: [{ value: 'v' }, { name: 'n' }] } },
    'missing field(s): spec.cosign.annotations[0].name, spec.cosign.annotations[1].value',
  ),
  image(
    40,
    'two caches',
    { cache: { volume: { size: '1G' }, registry: { tag: 'a/b' } } },
    'only one type of cache can be specified: spec.cache.registry, spec.cache.volume',
  ),
  row(
    50,
    'a name of 64 characters',
    { ...anObject('Image', {}), metadata: { name: longName } },
    `invalid image name: ${longName}, name must be a valid label: metadata.name\nmust be no more than 63 characters`,
  ),
  build(
    53,
    'no tags and no builder, of which the first hides the second',
    { tags: undefined, builder: {} },
    'missing field(s): spec.tags',
  ),
  build(53, 'no builder', { builder: {} }, 'missing field(s): spec.builder.image, spec.builder.ref'),
  build(
    54,
    'two builders',
    { builder: { image: 'a/b', ref: { kind: 'Builder', name: 'b' } } },
    'expected exactly one, got both: spec.builder.image, spec.builder.ref',
  ),
  build(55, 'a builder of a kind that is none, which fails when its pod is made', {
    builder: { ref: { kind: 'Foo', name: 'b' } },
  }),
  build(
    56,
    'a last image that is none',
    { lastBuild: { image: 'invalid@@' } },
    'invalid value: invalid@@: spec.lastBuild.image',
  ),
  build(57, 'a cosign annotation without name', { cosign: { annotations: [{ value: 'v' }] } }),
  build(58, 'a creationTime that is none, which fails when its pod is made', { creationTime: 'abc' }),
  row(
    63,
    'a stack without kind',
    anObject('ClusterBuilder', { stack: { kind: '', name: 's' } }),
    'invalid value: : stack.kind',
  ),
  row(64, 'an empty tag', anObject('ClusterBuilder', { tag: '' }), 'missing field(s): tag'),
  row(
    65,
    'neither account nor tag, where we tell of the account first',
    anObject('ClusterBuilder', { tag: '', serviceAccountRef: undefined }),
    'missing field(s): spec.serviceAccountRef.name',
  ),
  row(
    66,
    'a store of a kind that is none',
    anObject('Builder', { store: { kind: 'FakeStore', name: 'x' } }),
    'invalid value: FakeStore: spec.store.kind\nmust be one of ClusterStore',
  ),
  row(67, 'a buildpack of a kind and no name', anObject('Builder', group({ kind: 'Buildpack' }))),
  row(
    68,
    'a buildpack of a name and no kind',
    anObject('Builder', group({ name: 'x' })),
    'invalid value: : spec.order[0].group[0].kind\nmust be one of Buildpack, ClusterBuildpack',
  ),
  row(
    69,
    'a buildpack that is none',
    anObject('Builder', group({})),
    'expected exactly one, got neither: spec.order[0].group[0].id, spec.order[0].group[0].image, spec.order[0].group[0].name + kind',
  ),
  row(
    70,
    'a buildpack by image',
    anObject('Builder', group({ image: 'a/b' })),
    'must not set the field(s): spec.order[0].group[0].image reference currently not supported',
  ),
  row(71, 'a buildpack by id, name and kind', anObject('Builder', group({ id: 'a', name: 'x', kind: 'Buildpack' }))),
  row(
    72,
    'a source that is no image',
    anObject('ClusterStore', { sources: [{ image: 'ok/a' }, { image: 'invalid image' }] }),
    'invalid value: {invalid image}: spec.sources[1]',
  ),
  row(
    73,
    'half an account and no sources, where we tell of the account first',
    anObject('ClusterStore', { serviceAccountRef: { name: 't' }, sources: [] }),
    'missing field(s): spec.serviceAccountRef.namespace',
  ),
  row(
    74,
    'nothing',
    anObject('ClusterStack', { id: undefined, buildImage: undefined, runImage: undefined }),
    'missing field(s): spec.buildImage.image, spec.id, spec.runImage.image',
  ),
  row(75, 'an image that is none, which its condition says', anObject('ClusterLifecycle', { image: '!!' })),
];
