/** That no field of an Image is lost on its way through the Build to the pod. */
import { describe, expect, it } from 'vitest';
import { ImageSchema, type ImageSpec } from '../../../lib/api/image.ts';
import { podEntries } from '../../../lib/api/pod-fields.ts';
import { bindingsFrom } from '../../../lib/builds/inputs/bindings.ts';
import { buildPod } from '../../../lib/builds/pod/build-pod.ts';
import { imageWorld } from '../../support/image-world.ts';
import { contextB } from '../builds/base-build.ts';

/** The pod of the first Build of an Image with this spec. */
const podOf = async (spec: Partial<ImageSpec>) => {
  const world = imageWorld({ spec, priorityClasses: true });
  await world.pass();
  world.resolve();
  await world.pass();
  const [build] = world.kube.all('Build');
  if (build === undefined) throw new Error('no Build was made');
  const services = (build.spec.services ?? []).map(({ name }) => ({ name, secret: name }));
  return JSON.stringify(buildPod(build, contextB({ bindings: bindingsFrom(build, services, new Set()) })));
};

/** A value for each field of `spec.build`, and what the pod has of it. */
const ofBuild: Readonly<Record<keyof typeof podEntries | 'buildTimeout', readonly [value: unknown, inPod: string]>> = {
  env: [[{ name: 'SOME', value: 'thing' }], '{"name":"PLATFORM_ENV_SOME","value":"thing"}'],
  resources: [{ limits: { memory: '3Gi' } }, '"resources":{"limits":{"memory":"3Gi"}}'],
  services: [
    [{ apiVersion: 'v1', kind: 'Secret', name: 'database' }],
    '"mountPath":"/platform/bindings/database","readOnly":true',
  ],
  cnbBindings: [
    [{ name: 'old', metadataRef: { name: 'm' }, secretRef: { name: 's' } }],
    '"mountPath":"/platform/bindings/old/secret","readOnly":true',
  ],
  tolerations: [[{ key: 'k', operator: 'Exists' }], '"tolerations":[{"key":"k","operator":"Exists"}]'],
  nodeSelector: [{ disk: 'fast' }, '"nodeSelector":{"disk":"fast"}'],
  affinity: [{ nodeAffinity: {} }, '"affinity":{"nodeAffinity":{}}'],
  runtimeClassName: ['gvisor', '"runtimeClassName":"gvisor"'],
  schedulerName: ['mine', '"schedulerName":"mine"'],
  creationTime: ['1700000000', '{"name":"SOURCE_DATE_EPOCH","value":"1700000000"}'],
  buildTimeout: [1800, '"activeDeadlineSeconds":1800'],
};

/** The same for the other fields of `spec`; those without an entry say what the Image's own objects are, not the pod. */
const ofImage: Readonly<Partial<Record<keyof ImageSpec, readonly [value: unknown, inPod: string]>>> = {
  tag: ['other.example/app', '"other.example/app"'],
  additionalTags: [['registry.example/more:tag'], '"-tag=registry.example/more:tag"'],
  serviceAccountName: ['somebody', '"serviceAccountName":"somebody"'],
  cache: [{ registry: { tag: 'registry.example/cache' } }, '"-cache-image=registry.example/cache"'],
  imageTaggingStrategy: ['BuildNumber', '-tag='],
  projectDescriptorPath: ['sub/project.toml', '{"name":"PROJECT_DESCRIPTOR_PATH","value":"sub/project.toml"}'],
  cosign: [{ annotations: [{ name: 'a', value: 'b=c' }] }, '"-cosign-annotations=a=b=c"'],
  notary: [
    { v1: { url: 'https://notary.example', secretRef: { name: 'k' } } },
    '-notary-v1-url=https://notary.example',
  ],
  defaultProcess: ['worker', '"-process-type=worker"'],
};
const elsewhere = ['builder', 'source', 'failedBuildHistoryLimit', 'successBuildHistoryLimit', 'build'];

describe('every field of an Image', () => {
  it('is looked at below', () => {
    expect(Object.keys(ofBuild).toSorted()).toEqual([...Object.keys(podEntries), 'buildTimeout'].toSorted());
    const fields = Object.keys(ImageSchema.entries.spec.entries);
    expect([...Object.keys(ofImage), ...elsewhere].toSorted()).toEqual(fields.toSorted());
  });

  it.each(Object.entries(ofBuild))('spec.build.%s reaches the pod', async (field, [value, inPod]) => {
    expect(await podOf({ imageTaggingStrategy: 'None' })).not.toContain(inPod);
    expect(await podOf({ build: { [field]: value } })).toContain(inPod);
  });

  it.each(Object.entries(ofImage))('spec.%s reaches the pod', async (field, [value, inPod]) => {
    expect(await podOf({ imageTaggingStrategy: 'None' })).not.toContain(inPod);
    expect(await podOf({ [field]: value })).toContain(inPod);
  });

  it('and what people wait for, and an image created now, too', async () => {
    const pod = await podOf({ build: { creationTime: 'now' }, cache: { volume: { size: '1Gi' } } });
    expect(pod).toContain('{"name":"SOURCE_DATE_EPOCH","value":"1795248000"}');
    expect(pod).toContain('"priorityClassName":"kpack-build-high-priority"');
    expect(pod).toContain('"persistentVolumeClaim":{"claimName":"image-name-cache"}');
  });
});
