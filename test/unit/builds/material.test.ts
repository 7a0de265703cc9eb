import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import { describe, expect, it } from 'vitest';
import type { BuildSpec } from '../../../lib/api/build.ts';
import { previousImage, sourceMaterial } from '../../../lib/builds/material.ts';
import { buildB, rebaseB } from './base-build.ts';
import { ended } from './build-world.ts';

const hex = (letter: string, length = 64): string => letter.repeat(length);
const pod = (message: string, where: 'initContainerStatuses' | 'containerStatuses' = 'initContainerStatuses'): Pod => ({
  status: { [where]: [ended('prepare', 0, message)] },
});
const said = (type: string, id: string): string => JSON.stringify({ source: { type, id } });

describe('the source of a build', () => {
  it.each([
    [
      'git',
      { git: { url: 'https://git.example/a', revision: 'main' } },
      said('git', hex('c', 40)),
      { uri: 'https://git.example/a', digest: { sha1: hex('c', 40) } },
    ],
    [
      'git with SHA-256',
      { git: { url: 'git@git.example:a', revision: 'main' } },
      said('git', hex('c')),
      { uri: 'git@git.example:a', digest: { sha256: hex('c') } },
    ],
    [
      'blob',
      { blob: { url: 'https://blob.example/a.zip?X-Amz-Signature=s3cr3t' } },
      said('blob', hex('d')),
      { uri: 'https://blob.example/a.zip?X-Amz-Signature=REDACTED', digest: { sha256: hex('d') } },
    ],
    [
      'image',
      { registry: { image: `registry.example/src@sha256:${hex('e')}` } },
      said('image', hex('e')),
      { uri: 'registry.example/src', digest: { sha256: hex('e') } },
    ],
  ])('03#171 of type %s is its place in the spec, and the digest that prepare says', (_, source, message, wanted) => {
    const build = buildB({ source });
    expect(sourceMaterial(build, pod(message))).toEqual({ name: 'source', ...wanted });
    expect(sourceMaterial(build, pod(message, 'containerStatuses'))).toEqual({ name: 'source', ...wanted });
  });

  const git = (revision: string): Partial<BuildSpec> => ({
    source: { git: { url: 'https://git.example/a', revision } },
  });

  it.each([
    ['without a message', git('main'), ''],
    ['with a message that is cut off', git('main'), said('git', hex('c', 40)).slice(0, 60)],
    ['with more in the message than the step says', git('main'), `${said('git', hex('c', 40))} `],
    ['with a digest that is none', git('main'), said('git', `${hex('c', 39)}"`)],
    ['of another type than the spec’s', git('main'), said('blob', hex('c'))],
    ['of another commit than the spec’s', git(hex('a', 40)), said('git', hex('c', 40))],
  ])('%s is not told', (_, spec, message) => {
    expect(() => sourceMaterial(buildB(spec), pod(message))).toThrow(/the step prepare (?:does not say|says that it)/);
  });

  it('is not told by a step that failed', () => {
    const failed: Pod = { status: { initContainerStatuses: [ended('prepare', 1, said('git', hex('c', 40)))] } };
    expect(() => sourceMaterial(buildB(), failed)).toThrow('does not say what it fetched');
  });
});

describe('a rebase', () => {
  it('has the image that was rebased as its material', () => {
    const image = `registry.example/previous@sha256:${hex('f')}`;
    expect(previousImage(rebaseB({ lastBuild: { image, stackId: 'S' } }))).toEqual({
      name: 'previous-image',
      uri: 'registry.example/previous',
      digest: { sha256: hex('f') },
    });
  });

  it('has none where that has no digest', () => {
    expect(() => previousImage(rebaseB())).toThrow('spec.lastBuild.image, which was rebased, has no digest');
  });
});
