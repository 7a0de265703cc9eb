/** What kpack takes although it hardly is what was meant: a warning says field, value and what would be right, and the object is taken as well. */
import { describe, expect, it } from 'vitest';
import type { Kind } from '../../../lib/api/kinds.ts';
import type { Json } from '../../support/golden-objects.ts';
import { collectionOf, goodImage, type KpackCluster } from '../../support/kpack-cluster.ts';
import { anObject } from './chapter-01-table.ts';

type Doubt = readonly [title: string, spec: Json, ...words: readonly string[]];

const git = (more: Json): Json => ({ source: { git: { url: 'https://git.example/app', revision: 'main', ...more } } });
const source = (more: Json): Json => ({
  source: { git: { url: 'https://git.example/app', revision: 'main' }, ...more },
});
const build = (more: Json): Json => ({ build: more });
const tag = 'registry.example/team/app';

const ofImages: readonly Doubt[] = [
  ['a git URL of ftp', git({ url: 'ftp://a/b' }), 'spec.source.git.url: ftp://a/b', 'write https://host/path'],
  ['a git URL of a folder', git({ url: 'file:///repo' }), 'spec.source.git.url: file:///repo', 'ssh://git@host/path'],
  ['a git URL with a branch', git({ url: 'https://a/b#main' }), 'https://a/b#main', 'spec.source.git.revision'],
  ['a git URL with a line break', git({ url: 'https://a/b\n' }), 'spec.source.git.url', 'holds a blank'],
  ['a git URL with a password', git({ url: 'https://u:sesame@a/b' }), 'spec.source.git.url', 'Secret of the account'],
  ['a path for a port', git({ url: 'ssh://git@a:org/b' }), 'ssh://git@a:org/b', 'git@host:path'],
  ['a revision with a blank', git({ revision: ' main' }), 'spec.source.git.revision:  main', 'v1.0 or a commit'],
  ['a revision with a line break', git({ revision: 'main\n' }), 'spec.source.git.revision: main', 'v1.0 or a commit'],
  ['a revision of a remote', git({ revision: 'origin/main' }), 'spec.source.git.revision: origin/main', 'such as main'],
  ['half a ref', git({ revision: 'refs/heads/' }), 'spec.source.git.revision: refs/heads/', 'such as main'],
  ['a range', git({ revision: 'a..b' }), 'spec.source.git.revision: a..b', 'such as main'],
  ['a sub path outside', source({ subPath: '../x' }), 'spec.source.subPath: ../x', 'a folder within it'],
  ['a blob in S3', { source: { blob: { url: 's3://a/b' } } }, 'spec.source.blob.url: s3://a/b', 'https://'],
  [
    'a pull secret without a name',
    { source: { registry: { image: 'a/b', imagePullSecrets: [{}] } } },
    'imagePullSecrets',
    'name of a Secret',
  ],
  [
    'an account that cannot be',
    { serviceAccountName: 'My_Account' },
    'spec.serviceAccountName: My_Account',
    'lower-case',
  ],
  [
    'a builder that cannot be',
    { builder: { kind: 'Builder', name: 'My Builder' } },
    'spec.builder.name: My Builder',
    'lower-case',
  ],
  [
    'a tag that ends in /',
    { tag: 'registry.example/app/' },
    'spec.tag: registry.example/app/',
    'each part of the path',
  ],
  ['a cache where the app is', { cache: { registry: { tag } } }, `spec.cache.registry.tag: ${tag}`, 'app-cache'],
  ['a cache at a digest', { cache: { registry: { tag: 'a@b' } } }, 'spec.cache.registry.tag: a@b', 'is no tag'],
  [
    'a builder elsewhere',
    { builder: { kind: 'Builder', name: 'b', namespace: 'other' } },
    'spec.builder.namespace: other',
    'ClusterBuilder',
  ],
  ['a cache without a tag', { cache: { registry: { tag: '' } } }, 'spec.cache.registry.tag', 'app-cache'],
  ['half a byte of cache', { cache: { volume: { size: '500m' } } }, 'spec.cache.volume.size: 500m', '500Mi'],
  [
    'a class that cannot be',
    { cache: { volume: { size: '2G', storageClassName: 'A B' } } },
    'storageClassName: A B',
    'lower-case',
  ],
  ['no time', build({ buildTimeout: 0 }), 'spec.build.buildTimeout: 0', 'more than 0'],
  [
    'a variable twice',
    build({ env: [{ name: 'A', value: '1' }, { name: 'A' }] }),
    'spec.build.env: A',
    'write it once',
  ],
  ['a variable with =', build({ env: [{ name: 'A=B' }] }), 'spec.build.env: "A=B"', 'BP_JVM_VERSION'],
  ['a kind that is nobody’s', build({ services: [{ name: 's', kind: 'secret' }] }), 's of kind secret', 'kind Secret'],
  [
    'an operator of nobody',
    build({ tolerations: [{ operator: 'exists' }] }),
    'spec.build.tolerations: exists',
    'Exists or Equal',
  ],
  [
    'an effect of nobody',
    build({ tolerations: [{ operator: 'Exists', effect: 'noschedule' }] }),
    'noschedule',
    'NoSchedule',
  ],
  [
    'more than the limit',
    build({ resources: { requests: { cpu: 2 }, limits: { cpu: 0.5 } } }),
    'spec.build.resources.requests',
    'cpu',
  ],
  [
    'a runtime class that cannot be',
    build({ runtimeClassName: 'A B' }),
    'spec.build.runtimeClassName: A B',
    'lower-case',
  ],
];

const annotated: readonly (readonly [annotation: string, value: string, ...words: readonly string[]])[] = [
  ['image.kpack.io/paused', 'yes', 'image.kpack.io/paused]: yes', 'write true'],
  ['image.kpack.io/buildSteps', 'Parallel', 'image.kpack.io/buildSteps]: Parallel', 'sequential or parallel'],
  ['image.kpack.io/pause', 'true', 'image.kpack.io/pause is read by nobody', 'image.kpack.io/paused'],
];

const others: readonly (readonly [kind: Kind, title: string, spec: Json, ...words: readonly string[]])[] = [
  ['Build', 'no time', { activeDeadlineSeconds: -1 }, 'spec.activeDeadlineSeconds: -1', 'more than 0'],
  ['Builder', 'no order', { order: [] }, 'spec.order', 'groups of buildpacks'],
  [
    'Builder',
    'an id with a version',
    { order: [{ group: [{ id: 'a@1.0' }] }] },
    'spec.order: a@1.0',
    'id and version apart',
  ],
  [
    'Builder',
    'another kind of lifecycle',
    { lifecycle: { kind: 'Lifecycle', name: 'x' } },
    'spec.lifecycle.kind: Lifecycle',
    'ClusterLifecycle',
  ],
  [
    'Builder',
    'a stack that cannot be',
    { stack: { kind: 'ClusterStack', name: 'A B' } },
    'spec.stack.name: A B',
    'lower-case',
  ],
  [
    'ClusterStore',
    'an address',
    { sources: [{ image: 'docker://a/b' }] },
    'spec.sources: docker://a/b',
    'without docker://',
  ],
  [
    'ClusterStack',
    'an address',
    { buildImage: { image: 'https://a/b' } },
    'spec.buildImage.image: https://a/b',
    'without docker://',
  ],
  ['ClusterLifecycle', 'a blank', { image: 'a b' }, 'spec.image: a b', 'registry.example/team/image'],
  [
    'Buildpack',
    'an account that cannot be',
    { serviceAccountName: 'A B' },
    'spec.serviceAccountName: A B',
    'lower-case',
  ],
  [
    'ClusterBuildpack',
    'an account that cannot be',
    { serviceAccountRef: { name: 'A B', namespace: 'n' } },
    'spec.serviceAccountRef.name: A B',
    'lower-case',
  ],
];

const dryRun = '?dryRun=All&fieldValidation=Strict';

/** The suite, on a cluster that is there when its tests run. */
export const describeDoubts = (cluster: () => KpackCluster): void => {
  const warned = async (kind: Kind, object: Json): Promise<string> => {
    const answer = await cluster().write('POST', `${collectionOf(kind)}${dryRun}`, object);
    expect([answer.status, answer.message]).toEqual([201, '']);
    return answer.warnings.join('\n');
  };
  const missing = (said: string, words: readonly string[]): readonly string[] =>
    words.filter((one) => !said.includes(one));

  describe('doubts', () => {
    it.each(ofImages.map(([title, spec, ...words]) => ({ title, spec, words })))(
      'an Image with $title is taken with a warning',
      async ({ spec, words }) => {
        const said = await warned('Image', goodImage('doubt', { tag, ...spec }));
        expect([said, missing(said, words)]).toEqual([said, []]);
        expect(said).not.toContain('sesame');
      },
    );

    it.each(annotated.map(([name, value, ...words]) => ({ name, value, words })))(
      'an Image with annotation $name: $value is taken with a warning',
      async ({ name, value, words }) => {
        const image = goodImage('doubt');
        const said = await warned('Image', { ...image, metadata: { name: 'doubt', annotations: { [name]: value } } });
        expect([said, missing(said, words)]).toEqual([said, []]);
      },
    );

    it.each(others.map(([kind, title, spec, ...words]) => ({ kind, title, spec, words })))(
      'a $kind with $title is taken with a warning',
      async ({ kind, spec, words }) => {
        const said = await warned(kind, { ...anObject(kind, spec), metadata: { name: 'doubt' } });
        expect([said, missing(said, words)]).toEqual([said, []]);
      },
    );

    it.each(['git@host:org/app.git', 'host:/srv/app.git', 'ssh://git@host:2222/org/app', 'https://user@host/app'])(
      'a git URL such as %s is none',
      async (url) => {
        expect(await warned('Image', goodImage('doubt', git({ url })))).toBe('');
      },
    );

    it.each(['main', 'v1.0', 'feature/x', 'refs/pull/7/head', 'a'.repeat(40), 'HEAD'])(
      'nor is revision %s',
      async (revision) => {
        expect(await warned('Image', goodImage('doubt', git({ revision })))).toBe('');
      },
    );
  });
};
