import type { Container, Pod } from 'kubernetes-types/core/v1.d.ts';
import { describe, expect, it } from 'vitest';
import { buildPod } from '../../../../lib/builds/pod/build-pod.ts';
import { completionOptions } from '../../../../lib/steps/completion/options.ts';
import { prepareOptions } from '../../../../lib/steps/prepare/options.ts';
import { rebaseOptions } from '../../../../lib/steps/rebase/options.ts';
import { baseSecrets, buildB, contextB, cosignSecret, rebaseB, step } from '../base-build.ts';

/** What a container's program is started with. */
const processOf = ({ args = [], env = [] }: Container) => ({
  args,
  env: Object.fromEntries(env.map(({ name, value }) => [name, value ?? ''])),
});
const started = (pod: Pod, name: string) => processOf(step(pod, name));

const secrets = [
  ...baseSecrets,
  cosignSecret('key', {
    'kpack.io/cosign.repository': 'signatures.example/r',
    'kpack.io/cosign.docker-media-types': '1',
  }),
];
const docker = {
  basicDocker: ['docker-secret-1=acr.io'],
  dockercfg: ['docker-secret-3'],
  dockerconfig: ['docker-secret-2', 'secret.with.dots'],
};
const pulls = ['image-pull-1', 'image-pull-2', 'builder-pull-secret'];

describe('the step programs understand the pod', () => {
  it('prepare, with a git source', () => {
    const source = {
      git: { url: 'https://g.example/r', revision: 'main', initializeSubmodules: true },
      subPath: 'sub',
    };
    expect(prepareOptions(started(buildPod(buildB({ source }), contextB({ secrets })), 'prepare'))).toEqual({
      imageTag: 'someimage/name',
      runImage: 'builderregistry.io/run',
      source: {
        kind: 'git',
        url: 'https://g.example/r',
        revision: 'main',
        submodules: true,
        secrets: {
          basic: ['git-secret-1=https://github.com'],
          ssh: ['git-secret-2=https://bitbucket.com'],
        },
        trustUnknownHosts: true,
      },
      sourceSubPath: 'sub',
      projectDescriptorPath: '',
      buildChanges: '',
      handOverTo: '',
      builder: { image: 'builder.example/b', name: '', kind: '' },
      dockerSecrets: docker,
      imagePull: pulls,
    });
  });

  it('prepare, with a blob and a registry source', () => {
    const blob = { url: 'https://blobstore.com/a.zip', auth: 'secret' as const, stripComponents: 1 };
    expect(prepareOptions(started(buildPod(buildB({ source: { blob } }), contextB()), 'prepare')).source).toEqual({
      kind: 'blob',
      url: 'https://blobstore.com/a.zip',
      auth: true,
      stripComponents: 1,
      secrets: ['blob-secret=blobstore.com'],
    });
    const source = { registry: { image: 'r.example/src' } };
    expect(prepareOptions(started(buildPod(buildB({ source }), contextB()), 'prepare')).source).toEqual({
      kind: 'registry',
      image: 'r.example/src',
    });
  });

  it('completion, with annotations that hold equals signs and entries without a name', () => {
    const cosign = { annotations: [{ name: 'a', value: 'b=c d' }, { value: 'nameless' }] };
    const build = buildB({ cosign, cache: { registry: { tag: 'cache.example/c' } } });
    expect(completionOptions(started(buildPod(build, contextB({ secrets })), 'completion'))).toEqual({
      imageTag: 'someimage/name',
      cacheTag: 'cache.example/c',
      terminationMessagePath: '/tmp/termination-log',
      notaryUrl: '',
      dockerSecrets: docker,
      cosignAnnotations: new Map([
        ['buildTimestamp', '19440606.133000'],
        ['buildNumber', '12'],
        ['a', 'b=c d'],
      ]),
      cosignRepositories: new Map([['key', 'signatures.example/r']]),
      cosignDockerMediaTypes: new Map([['key', '1']]),
    });
  });

  it('rebase', () => {
    expect(rebaseOptions(started(buildPod(rebaseB(), contextB()), 'rebase'))).toEqual({
      runImage: 'builderregistry.io/run',
      lastBuiltImage: 'registry.example/previous',
      buildChanges: 'changes',
      report: '/var/report/report.toml',
      dockerSecrets: docker,
      imagePull: pulls,
      tags: ['someimage/name', 'someimage/name:tag2', 'someimage/name:tag3'],
    });
  });

  it('the program that starts each step in its turn, with the very words it would have had', () => {
    const build = buildB({ cosign: { annotations: [{ name: 'note', value: 'two words' }] } });
    const plain = buildPod(build, contextB());
    for (const settings of [{ injectedSidecars: true }, { buildSteps: 'parallel' as const }]) {
      const steps = buildPod(build, contextB({ settings })).spec?.containers ?? [];
      for (const [index, { name, args = [] }] of steps.entries()) {
        const before = steps[index - 1]?.name;
        const first = ['injectedSidecars' in settings ? '-ready=/downward/sidecars-ready' : '', '-hold=/turn/turn'];
        const told = before === undefined ? first.filter((flag) => flag !== '') : [`-after=${before}`];
        const words = step(plain, name);
        expect(args).toEqual([...told, '--', ...(words.command ?? []), ...(words.args ?? [])]);
      }
    }
  });
});
