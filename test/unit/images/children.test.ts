/** The SourceResolver: cases 29–35 of spec 02 §11.2, and adoption. */
import { describe, expect, it } from 'vitest';
import { ExpectedError } from '../../../lib/errors/expected.ts';
import { KubeError } from '../../../lib/kube/errors.ts';
import { controllerReference } from '../../../lib/kube/object.ts';
import { imageWorld, namespace } from '../../support/image-world.ts';

const volume = (size: string | number, storageClassName?: string) => ({
  cache: { volume: { size, ...(storageClassName === undefined ? {} : { storageClassName }) } },
});
const server = (what: string): KubeError => new KubeError('server', `${what}: out of order`, { status: 500 });
const resolverName = 'SourceResolver some-namespace/image-name-source';
const claimName = 'PersistentVolumeClaim some-namespace/image-name-cache';
const statusWrite = 'replaceStatus Image some-namespace/image-name';

describe('SourceResolver', () => {
  it('02#29 is made with the labels, the account and the source of the Image, and belongs to it', async () => {
    const { pass, resolver, image } = imageWorld({ metadata: { labels: { team: 'a' }, annotations: { note: 'x' } } });
    expect((await pass()).writes).toStrictEqual([`create ${resolverName}`]);
    expect(resolver()).toMatchObject({
      apiVersion: 'kpack.io/v1alpha2',
      metadata: { labels: { team: 'a' }, ownerReferences: [controllerReference(image())] },
      spec: { serviceAccount: 'account', source: image().spec.source },
    });
    expect(resolver()?.metadata).not.toHaveProperty('annotations');
    expect(controllerReference(image())).toMatchObject({ kind: 'Image', controller: true, blockOwnerDeletion: true });
  });

  it('02#30 is left alone when equal, annotations of others included', async () => {
    const { pass, kube, resolver } = imageWorld();
    await pass();
    await pass();
    kube.edit(
      'SourceResolver',
      'image-name-source',
      (now) => ({ ...now, metadata: { ...now.metadata, annotations: { foreign: 'x' } } }),
      namespace,
    );
    expect((await pass()).writes).toStrictEqual([]);
    expect(resolver()?.metadata.annotations).toStrictEqual({ foreign: 'x' });
  });

  it('02#31 follows the spec, and keeps its owner', async () => {
    const { pass, want, resolver, image } = imageWorld();
    await pass();
    const source = { git: { url: 'https://git.example/other', revision: 'next' } };
    want({ serviceAccountName: 'other', source });
    expect((await pass()).writes).toStrictEqual([`replace ${resolverName}`, statusWrite]);
    expect(resolver()?.spec).toStrictEqual({ serviceAccount: 'other', source });
    expect(resolver()?.metadata.ownerReferences).toStrictEqual([controllerReference(image())]);
  });

  /** Who wrote which label, as the API server knows it. */
  const managed = (labels: Readonly<Record<string, string>>) =>
    Object.entries(labels).map(([name, manager]) => ({
      manager,
      operation: 'Update',
      fieldsType: 'FieldsV1',
      fieldsV1: { 'f:metadata': { 'f:labels': { '.': {}, [`f:${name}`]: {} } } },
    }));

  it.each([
    ['goes when the Image has it no more', { old: 'kpackless', foreign: 'kubectl-label' }, { foreign: 'y', new: 'z' }],
    [
      'stays when somebody wrote it since',
      { foreign: 'kubectl-label', old: 'argocd' },
      { old: 'x', foreign: 'y', new: 'z' },
    ],
    ['stays when nobody knows whose it is', {}, { old: 'x', foreign: 'y', new: 'z' }],
  ])(
    '02#32 has the labels of the Image and, unlike kpack’s, those of others; one of ours %s',
    async (_, owners, wanted) => {
      const { pass, kube, resolver } = imageWorld({ metadata: { labels: { old: 'x' } } });
      await pass();
      await pass();
      const label = (more: object) => (now: { readonly metadata: object }) => ({ ...now.metadata, ...more });
      kube.edit(
        'SourceResolver',
        'image-name-source',
        (now) => ({
          ...now,
          metadata: {
            ...now.metadata,
            ...label({ labels: { old: 'x', foreign: 'y' }, managedFields: managed(owners) })(now),
          },
        }),
        namespace,
      );
      kube.edit(
        'Image',
        'image-name',
        (now) => ({ ...now, metadata: { ...now.metadata, ...label({ labels: { new: 'z' } })(now) } }),
        namespace,
      );
      expect((await pass()).writes).toStrictEqual([`replace ${resolverName}`]);
      expect(resolver()?.metadata.labels).toStrictEqual(wanted);
      expect((await pass()).writes).toStrictEqual([]);
    },
  );

  it('02#33 after a change of its spec nothing is built before it was resolved again; after one of its labels something may', async () => {
    const { pass, want, resolve, ready, builds, kube } = imageWorld();
    await pass();
    resolve();
    want({ source: { git: { url: 'https://git.example/other', revision: 'next' } } });
    await pass();
    expect(ready()?.reason).toBe('ResolverNotReady');
    resolve();
    const labels = { team: 'a' };
    kube.edit('Image', 'image-name', (now) => ({ ...now, metadata: { ...now.metadata, labels } }), namespace);
    expect((await pass()).writes).toStrictEqual([
      `replace ${resolverName}`,
      'create Build some-namespace/image-name-build-1',
      statusWrite,
    ]);
    expect(builds()).toHaveLength(1);
  });

  it('02#34 when it cannot be made the claim stays and the condition says why (kpack says nothing)', async () => {
    const { pass, kube, ready, image } = imageWorld({ spec: volume('1Gi') });
    kube.failNext('create', /SourceResolver/, server('POST sourceresolvers'));
    const { outcome, writes } = await pass();
    expect(outcome).toBeInstanceOf(ExpectedError);
    expect(writes).toStrictEqual([`create ${claimName}`, `create ${resolverName}`, statusWrite]);
    expect(ready()).toMatchObject({ reason: 'Retrying', message: 'POST sourceresolvers: out of order' });
    expect(image().status).toMatchObject({ buildCacheName: 'image-name-cache' });
    expect(image().status).not.toHaveProperty('observedGeneration');
  });

  it('02#35 that was deleted is made again, though not while a Build runs', async () => {
    const { pass, kube, resolver, resolve, finish, firstBuild } = imageWorld();
    await firstBuild();
    kube.remove('SourceResolver', 'image-name-source', namespace);
    await pass();
    expect(resolver()).toBeDefined();
    resolve({ git: { url: 'https://git.example/app', revision: 'b'.repeat(40), type: 'Branch' } });
    await pass();
    kube.remove('SourceResolver', 'image-name-source', namespace);
    await pass();
    expect(resolver()).toBeUndefined();
    finish(2, { conditions: [{ type: 'Succeeded', status: 'True' }] });
    await pass();
    expect(resolver()).toBeDefined();
  });

  it('of an earlier Image of this name is waited for; one that nobody controls is adopted', async () => {
    const { pass, kube, ready, resolver, image } = imageWorld();
    await pass();
    const controlledBy = (uid: string) =>
      kube.edit(
        'SourceResolver',
        'image-name-source',
        (now) => ({
          ...now,
          metadata: { ...now.metadata, ownerReferences: [{ ...controllerReference(image()), uid }] },
        }),
        namespace,
      );
    controlledBy('an-earlier-one');
    expect((await pass()).outcome).toBeInstanceOf(ExpectedError);
    expect(ready()?.message).toContain('does not belong to this Image');
    kube.edit(
      'SourceResolver',
      'image-name-source',
      (now) => ({ ...now, metadata: { ...now.metadata, ownerReferences: [] } }),
      namespace,
    );
    expect((await pass()).writes).toStrictEqual([`replace ${resolverName}`, statusWrite]);
    expect(resolver()?.metadata.ownerReferences).toStrictEqual([controllerReference(image())]);
    expect((await pass()).writes).toStrictEqual([]);
  });
});
