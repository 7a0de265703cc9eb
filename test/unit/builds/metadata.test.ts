import { gzipSync } from 'node:zlib';
import { assert as holds, integer, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { builtStatus, parseBuildMetadata } from '../../../lib/builds/metadata.ts';
import { metadataFromImage } from '../../../lib/builds/metadata-from-image.ts';
import { digestOf } from './build-world.ts';

const packed = (value: unknown): string => gzipSync(JSON.stringify(value)).toString('base64');
const named = { latestImage: 'a@sha256:1', latestCacheImage: '' };

describe('the message of the completion step', () => {
  it('03#154 says what was packed', () => {
    const message = packed({
      buildpackMetadata: [{ id: 'bp', version: '1', homepage: 'h' }, { id: 'other' }],
      latestCacheImage: 'c@sha256:2',
      latestImage: 'a@sha256:1',
      stackID: 's',
      stackRunImage: 'r@sha256:3',
      lifecycleVersion: '0.21.0',
    });
    expect(parseBuildMetadata(message)).toEqual({
      buildpacks: [
        { id: 'bp', version: '1', homepage: 'h' },
        { id: 'other', version: '' },
      ],
      latestCacheImage: 'c@sha256:2',
      latestImage: 'a@sha256:1',
      stackId: 's',
      stackRunImage: 'r@sha256:3',
      lifecycleVersion: '0.21.0',
    });
  });

  it.each([
    ['nothing', undefined],
    ['an empty one', ''],
    ['no base64', '%%%'],
    ['no gzip', Buffer.from('{}').toString('base64')],
    ['one without an image', packed({ stackID: 's' })],
    ['one of another shape', packed({ latestImage: 7 })],
    ['one that unpacks to more than a megabyte', packed({ latestImage: 'a'.repeat(2_000_000) })],
  ])('is taken for lost: %s', (_, message) => {
    expect(parseBuildMetadata(message)).toBeUndefined();
  });

  it('is taken for lost wherever the kubelet cut it, and never misread', () => {
    const message = packed({ latestImage: 'a@sha256:1', stackID: 's' });
    holds(
      property(integer({ min: 0, max: message.length - 5 }), (length) => {
        expect(parseBuildMetadata(message.slice(0, length))).toBeUndefined();
      }),
    );
  });

  it('tolerates buildpacks that are null, as Go writes an empty list', () => {
    expect(parseBuildMetadata(packed({ latestImage: 'a', buildpackMetadata: null }))?.buildpacks).toEqual([]);
  });

  it('leaves an empty cache image out of the status', () => {
    const metadata = parseBuildMetadata(packed({ latestImage: 'a' }));
    expect(metadata && builtStatus(metadata)).not.toHaveProperty('latestCacheImage');
  });
});

describe('the labels of an image', () => {
  const lifecycle = (reference: string, image: string) => ({
    'io.buildpacks.lifecycle.metadata': JSON.stringify({ runImage: { reference }, stack: { runImage: { image } } }),
  });

  it('03#155 name the stack’s run image by the digest that was really used', () => {
    const labels = lifecycle(`localhost:5000/node@${digestOf('d')}`, 'gcr.io:443/run:full-cnb');
    expect(metadataFromImage(labels, named).stackRunImage).toBe(`gcr.io:443/run@${digestOf('d')}`);
  });

  it('name the run image itself when no stack is noted, as newer lifecycles do', () => {
    const labels = lifecycle(`localhost:5000/node@${digestOf('d')}`, '');
    expect(metadataFromImage(labels, named).stackRunImage).toBe(`localhost:5000/node@${digestOf('d')}`);
  });

  it.each([
    ['no labels', {}],
    ['labels that are no JSON', { 'io.buildpacks.lifecycle.metadata': '{', 'io.buildpacks.build.metadata': '[' }],
    ['a run image without a digest', lifecycle('local-image-id', 'run')],
    ['a reference that is none', lifecycle('NOT A REFERENCE', 'run')],
  ])('may be missing or unreadable: %s', (_, labels) => {
    expect(metadataFromImage(labels, named)).toEqual({
      ...named,
      buildpacks: [],
      stackId: '',
      stackRunImage: '',
      lifecycleVersion: '',
    });
  });
});
