import type { ContainerStatus, Pod } from 'kubernetes-types/core/v1.d.ts';
import { describe, expect, it } from 'vitest';
import { buildPod } from '../../../lib/builds/pod/build-pod.ts';
import { imagesRun } from '../../../lib/builds/ran.ts';
import { buildB, contextB, rebaseB, stepsOf } from './base-build.ts';
import { digestOf, ended } from './build-world.ts';

const steps = `registry.example/steps@${digestOf('5')}`;
const builder = `registry.example/builder@${digestOf('b')}`;
const program = { image: steps, command: ['/step'] };
const programs = {
  prepare: program,
  completion: program,
  rebase: program,
  waiter: program,
  turn: { image: steps, shell: '/sh', script: '/turn' },
};

/** A pod that ended, with what its node says of the images, as containerd does: the name it was pulled by first. */
const ranPod = (made: Pod, change: (name: string) => Partial<ContainerStatus> = () => ({})): Pod => {
  const status = ({ name, image = '' }: { name: string; image?: string }): ContainerStatus => ({
    ...ended(name),
    imageID: image.replace('registry.example', 'mirror.example'),
    ...change(name),
  });
  return {
    ...made,
    status: {
      initContainerStatuses: (made.spec?.initContainers ?? []).map(status),
      containerStatuses: (made.spec?.containers ?? []).map(status),
    },
  };
};
const made = buildPod(buildB(), contextB({ programs, builder: { image: builder } }));

describe('what ran in a pod', () => {
  it.each([
    ['a build', made],
    ['a rebase', buildPod(rebaseB(), contextB({ programs, builder: { image: builder } }))],
    [
      'a build with injected sidecars',
      buildPod(buildB(), contextB({ programs, builder: { image: builder }, settings: { injectedSidecars: true } })),
    ],
  ])('is the image of every step of %s, by its digest', (_, pod) => {
    const images = imagesRun(ranPod(pod));
    expect([...images.keys()].toSorted()).toEqual(
      stepsOf(pod)
        .map(({ name }) => name)
        .toSorted(),
    );
    expect(new Set(images.values())).toEqual(new Set(images.has('rebase') ? [steps] : [steps, builder]));
  });

  it('is what the pod names where a runtime reports no digest', () => {
    expect(imagesRun(ranPod(made, () => ({ imageID: 'docker://sha256:1' }))).get('detect')).toBe(builder);
  });

  it('is what the node found behind a tag', () => {
    const tagged = buildPod(buildB(), contextB({ programs, builder: { image: 'registry.example/builder:1' } }));
    const pod = ranPod(tagged, (name) =>
      ['prepare', 'completion'].includes(name) ? {} : { imageID: `mirror.example/builder@${digestOf('c')}` },
    );
    expect(imagesRun(pod).get('detect')).toBe(`registry.example/builder@${digestOf('c')}`);
    const moved = ranPod(tagged, (name) =>
      ['prepare', 'completion'].includes(name)
        ? {}
        : { imageID: `mirror.example/builder@${digestOf(name === 'export' ? 'd' : 'c')}` },
    );
    expect(() => imagesRun(moved)).toThrow('the step export ran');
    const silent = ranPod(tagged, (name) => (name === 'detect' ? { imageID: '' } : {}));
    expect(() => imagesRun(silent)).toThrow('the node does not say which image the step');
  });

  it.each([
    ['ran another image', { imageID: `mirror.example/builder@${digestOf('9')}` }, 'not the image it was made with'],
    ['was started twice', { restartCount: 1 }, 'was started more than once'],
    ['did not end', { state: { running: {} } }, 'did not end well'],
    ['failed', { state: { terminated: { exitCode: 1 } } }, 'did not end well'],
  ])('is not told when a step %s', (_, change, message) => {
    expect(() => imagesRun(ranPod(made, (name) => (name === 'build' ? change : {})))).toThrow(message);
  });

  it('leaves out what others injected', () => {
    const pod = ranPod(made);
    const injected = { name: 'proxy', image: 'proxy' };
    const spec = { ...pod.spec, containers: [...(pod.spec?.containers ?? []), injected] };
    expect(imagesRun({ ...pod, spec }).has('proxy')).toBe(false);
  });
});
