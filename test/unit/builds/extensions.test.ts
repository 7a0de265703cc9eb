import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import { describe, expect, it } from 'vitest';
import { runImagePatches } from '../../../lib/builds/extend-run.ts';
import { statusAfter } from '../../../lib/builds/failure.ts';
import { builderImageFrom } from '../../../lib/builds/inputs/builder-image.ts';
import { metadataFromImage } from '../../../lib/builds/metadata-from-image.ts';
import { isRebasable } from '../../../lib/builds/rebasable.ts';
import { KubeError } from '../../../lib/kube/errors.ts';
import { OciError } from '../../../lib/oci/errors.ts';
import { buildB } from './base-build.ts';
import { appFacts, type BuildWorld, builderFacts, buildWorld, digestOf, ended, podPath } from './build-world.ts';

const orderLabel = 'io.buildpacks.buildpack.order-extensions';
const metadataLabel = 'io.buildpacks.builder.metadata';

const factsWith = (order: string) => ({ ...builderFacts, labels: { ...builderFacts.labels, [orderLabel]: order } });
const extending = {
  ...factsWith('[{"group":[{"id":"e","version":"1"}]}]'),
};
const labels = {
  ...extending.labels,
  [metadataLabel]: JSON.stringify({
    stack: { runImage: { image: 'R1' } },
    lifecycle: { apis: { platform: { supported: ['0.9', '0.12', '0.13'] } } },
  }),
};

const other = `other.example/run@${digestOf('e')}`;

/** B with a builder that orders extensions. */
const world = (options: Parameters<typeof buildWorld>[0] = {}): BuildWorld => {
  const made = buildWorld(options);
  made.images.known.set('builder.example/b', { ...extending, labels });
  return made;
};
const imageOf = (pod: unknown, name: string): string | undefined =>
  ((pod as Pod).spec?.initContainers ?? []).find((step) => step.name === name)?.image;

describe('a builder image', () => {
  it.each([
    ['[]', undefined],
    ['null', undefined],
    ['[{"group":[{"id":"e","version":"1"}]}]', true],
  ])('with the order of extensions %s', (order, hasExtensions) => {
    expect(builderImageFrom('BI', factsWith(order)).hasExtensions).toBe(hasExtensions);
  });

  it('with an order that is no JSON is refused', () => {
    expect(() => builderImageFrom('BI', factsWith('{'))).toThrow(
      `label ${orderLabel} of the builder image is not JSON`,
    );
  });
});

describe('a Build with image extensions', () => {
  it('gives its pod the run image that an extension chose, once', async () => {
    const build = world();
    await build.pass();
    expect(imageOf(build.cluster.at(podPath), 'extend-run')).toBe('builderregistry.io/run');
    const before = build.cluster.at(podPath) as Pod;
    build.podSays({
      phase: 'Pending',
      initContainerStatuses: [ended('restore', 0, JSON.stringify({ extendRunImage: other }))],
    });
    await build.pass();
    const after = build.cluster.at(podPath) as Pod;
    expect(imageOf(after, 'extend-run')).toBe(other);
    expect(after.metadata?.annotations?.['build.kpack.io/extendRunImage']).toBe(other);
    const withoutThat = (pod: Pod) =>
      (pod.spec?.initContainers ?? []).map((step) => (step.name === 'extend-run' ? { ...step, image: '' } : step));
    expect(withoutThat(after)).toEqual(withoutThat(before));
    await build.pass();
    expect(build.cluster.writes().filter(({ method }) => method === 'PATCH')).toHaveLength(1);
  });

  const podSaying = (message: string, exitCode = 0): Pod => ({
    spec: { containers: [], initContainers: [{ name: 'extend-run', image: 'was' }] },
    status: { initContainerStatuses: [ended('restore', exitCode, message)] },
  });
  it.each([
    ['says nothing', podSaying('')],
    ['says something else', podSaying('done')],
    ['says JSON of another kind', podSaying('{"a":1}')],
    ['says half of it', podSaying('{"extendRunImage":')],
    ['names an image without a digest', podSaying('{"extendRunImage":"reg.io/run:1"}')],
    ['names none', podSaying('{"extendRunImage":"-not an image"}')],
    ['failed', podSaying(JSON.stringify({ extendRunImage: other }), 1)],
  ])('leaves the pod alone when restore %s', (_what, pod) => {
    expect(runImagePatches(pod)).toEqual([]);
  });

  it('is told by the condition when the namespace refuses root', () => {
    const said = 'pods "p" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true';
    const refusal = new KubeError('forbidden', said);
    const [condition] = statusAfter(buildB(), refusal, new Date())?.conditions ?? [];
    expect(condition).toMatchObject({ status: 'Unknown', reason: 'PodRefused' });
    expect(condition?.message).toMatch(/violates PodSecurity .*a namespace that enforces baseline$/);
  });

  it('counts the extensions that took part among the buildpacks, so that a newer one builds again', () => {
    const label = JSON.stringify({
      buildpacks: [{ id: 'b', version: '1' }],
      extensions: [{ id: 'e', version: '2', homepage: 'h' }],
      launcher: { version: '0.21.0' },
    });
    const { buildpacks } = metadataFromImage(
      { 'io.buildpacks.build.metadata': label },
      { latestImage: 'i', latestCacheImage: '' },
    );
    expect(buildpacks).toEqual([
      { id: 'b', version: '1' },
      { id: 'e', version: '2', homepage: 'h' },
    ]);
  });
});

describe('a rebase of an image that extensions may have touched', () => {
  const runImages = (image: string) => ({
    'io.buildpacks.lifecycle.metadata': JSON.stringify({ runImage: { image, reference: other } }),
  });
  it.each([
    ['nothing is known of it', {}, true],
    ['it says that it may be', { 'io.buildpacks.rebasable': 'true' }, true],
    ['it says that it may not be', { 'io.buildpacks.rebasable': 'false' }, false],
    ['it stands on the builder’s run image', runImages(`builder.io/builders:run@${digestOf('a')}`), true],
    ['it stands on an older place of that', runImages('builder.io/builders:run'), true],
    ['it stands on a run image that an extension chose', runImages('other.example/run:1'), false],
    ['its label is broken', { 'io.buildpacks.lifecycle.metadata': '{' }, true],
  ])('where %s', (_when, given, expected) => {
    expect(isRebasable(given, `builder.io/builders:run@${digestOf('b')}`)).toBe(expected);
  });

  const stackChange = { metadata: { generation: 1, annotations: { 'image.kpack.io/reason': 'STACK' } } };
  const last = 'registry.example/previous';

  it('is made in the registry when it is safe', async () => {
    const build = world(stackChange);
    build.images.known.set(last, { ...appFacts, labels: { 'io.buildpacks.rebasable': 'true' } });
    await build.pass();
    expect(build.images.rebases).toHaveLength(1);
    expect(build.cluster.has(podPath)).toBe(false);
  });

  it.each([
    ['it may not be rebased', () => ({ ...appFacts, labels: { 'io.buildpacks.rebasable': 'false' } })],
    [
      'it is gone',
      () => {
        throw new OciError('not-found', 'gone', { method: 'GET', url: new URL('https://registry.example/v2/') });
      },
    ],
  ])('is a build from source when %s', async (_when, facts) => {
    const build = world(stackChange);
    build.images.known.set(last, facts);
    await build.pass();
    expect(build.images.rebases).toEqual([]);
    expect(imageOf(build.cluster.at(podPath), 'extend-run')).toBe('builderregistry.io/run');
  });

  it('asks nothing more where the builder has no extensions', async () => {
    const build = buildWorld(stackChange);
    await build.pass();
    expect(build.images.reads.map(({ reference }) => reference)).toEqual(['builder.example/b']);
  });
});
