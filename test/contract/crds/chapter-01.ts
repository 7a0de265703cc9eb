/** Cases of spec 01 §12 on a real API server: every row is an object that is written, and what kpack says to it. */
import { describe, expect, it } from 'vitest';
import { isJson, type Json } from '../../support/golden-objects.ts';
import { type Answer, collectionOf, type KpackCluster } from '../../support/kpack-cluster.ts';
import { unsaid } from '../../support/kpack-words.ts';
import { anObject, rows } from './chapter-01-table.ts';
import { changed, made } from './replay.ts';

const titled = rows.map((row) => ({
  ...row,
  title: `01#${row.number} ${row.object.kind} of ${row.object.apiVersion} with ${row.given}`,
}));

const nameOf = ({ body }: Answer): string => {
  const { metadata } = body;
  return isJson(metadata) ? String(metadata['name']) : '';
};

const specOf = ({ body }: Answer): Json => (isJson(body['spec']) ? body['spec'] : {});

/** The suite, on a cluster that is there when its tests run. */
export const describeChapter01 = (cluster: () => KpackCluster): void => {
  const image = (spec: Json) => anObject('Image', spec);
  const change = (before: Json, after: Json): Promise<Answer> => changed(cluster(), image(before), image(after));
  const volume = (size: string, storageClassName?: string): Json => ({
    cache: { volume: { size, ...(storageClassName === undefined ? {} : { storageClassName }) } },
  });
  /** What was refused, and what kpack says beside it that we do not. */
  const judged = async (answer: Answer | Promise<Answer>, kpack: string) => {
    const said = await answer;
    return { status: said.status, message: said.message, missing: unsaid(said, kpack) };
  };
  const refused = { status: 422, missing: [] };
  const saidOf = async (answer: Answer | Promise<Answer>): Promise<string> => (await answer).message;

  describe('cases of spec 01', () => {
    it.each(titled.filter(({ kpack }) => kpack !== undefined))('$title is refused', async ({ object, as, kpack }) => {
      expect(await judged(made(cluster(), object, '', as === undefined ? {} : { as }), kpack ?? '')).toMatchObject(
        refused,
      );
    });

    it.each(titled.filter(({ kpack }) => kpack === undefined))('$title is taken', async ({ object }) => {
      expect(await saidOf(made(cluster(), object))).toBe('');
    });

    it('01#10 the tag of an Image cannot be changed', async () => {
      const kpack = 'Immutable field changed: spec.tag\ngot: something/different, want: some/image';
      expect(await judged(change({}, { tag: 'something/different' }), kpack)).toMatchObject(refused);
    });

    it('01#30 a variable from a ConfigMap is refused too, where kpack puts it into the log of the build', async () => {
      const env = [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'c', key: 'k' } } }];
      expect(
        await judged(
          made(cluster(), image({ build: { env } })),
          'configMapKeyRef is not supported for build environment variables: spec.build.env[0].valueFrom.configMapKeyRef',
        ),
      ).toMatchObject(refused);
    });

    it('01#38 01#83 an Image with notary of v1alpha1 is stored, and v1alpha2 refuses a change of its labels by a user', async () => {
      const notary = { v1: { url: 'https://n', secretRef: { name: 's' } } };
      const answer = await made(cluster(), anObject('Image', { notary }, 'v1alpha1'));
      expect(await saidOf(answer)).toBe('');
      const path = `${collectionOf('Image')}/${nameOf(answer)}`;
      const patch = { metadata: { labels: { a: 'b' } } };
      const contentType = 'application/merge-patch+json';
      expect(
        await judged(
          cluster().write('PATCH', path, patch, { contentType }),
          'use of this field has been deprecated in v1alpha2, please use v1alpha1 for notary image signing: spec.notary',
        ),
      ).toMatchObject(refused);
      expect(
        await saidOf(
          cluster().write('PATCH', path, patch, { contentType, as: 'system:serviceaccount:kpack:kpackless' }),
        ),
      ).toBe('');
      const collector = 'system:serviceaccount:kube-system:generic-garbage-collector';
      expect(
        await saidOf(cluster().write('PATCH', path, { metadata: { labels: null } }, { contentType, as: collector })),
      ).toBe('');
    });

    it('01#43 a cache does not shrink', async () => {
      const kpack = 'Field cannot be decreased: spec.cache.volume.size\ncurrent: 5G, requested: 4G';
      expect(await judged(change(volume('5G'), volume('4G')), kpack)).toMatchObject(refused);
    });

    it('01#44 01#45 a cache grows, whatever its class can do: the condition says when that fails', async () => {
      expect(await saidOf(change(volume('5G'), volume('6G')))).toBe('');
      expect(await saidOf(change(volume('5G', 'sc'), volume('6G', 'sc')))).toBe('');
    });

    it('01#47 the class of a cache cannot be changed', async () => {
      const kpack = 'Immutable field changed: spec.cache.volume.storageClassName\ngot: sc-different, want: sc-name';
      expect(await judged(change(volume('5G', 'sc-name'), volume('5G', 'sc-different')), kpack)).toMatchObject(refused);
    });

    it('01#48 a cache that was given up may be had again, and smaller', async () => {
      expect(await saidOf(change(volume('5G'), { cache: {} }))).toBe('');
      expect(await saidOf(change({ cache: {} }, volume('1G')))).toBe('');
    });

    it('01#49 a cache that is left out is taken, and its claim stays as it is, where kpack writes 2G and calls that a decrease', async () => {
      expect(await saidOf(change(volume('5G'), {}))).toBe('');
    });

    it('01#52 a size is compared by value and kept as it was written, where kpack writes 1536Mi', async () => {
      const answer = await change(volume('1536Mi'), volume('1.5Gi'));
      expect(specOf(answer)).toMatchObject(volume('1.5Gi'));
    });

    it('01#59 the spec of a Build cannot be changed', async () => {
      const before = anObject('Build', {});
      const after = anObject('Build', { source: { git: { url: 'https://git.example/other', revision: 'main' } } });
      expect(
        await judged(changed(cluster(), before, after), 'Immutable fields changed (-old +new): spec.spec'),
      ).toMatchObject(refused);
      const limits = (cpu: string) => anObject('Build', { resources: { limits: { cpu } } });
      expect(
        await judged(changed(cluster(), limits('1'), limits('2')), 'Immutable fields changed (-old +new): spec.spec'),
      ).toMatchObject(refused);
    });

    it('01#60 a Build may be annotated', async () => {
      const build = anObject('Build', {});
      const annotations = { 'image.kpack.io/additionalBuildNeeded': 'now' };
      expect(await saidOf(changed(cluster(), build, { ...build, metadata: { ...build.metadata, annotations } }))).toBe(
        '',
      );
    });

    it('01#84 the tag of an Image may be changed through v1alpha1, which nobody checks', async () => {
      const older = (tag: string) => anObject('Image', { tag }, 'v1alpha1');
      expect(await saidOf(changed(cluster(), older('some/image'), older('some/other')))).toBe('');
    });

    it('01#87 01#88 what v1alpha1 of a ClusterStack has no field for is dropped, so that v1alpha2 can change and delete it', async () => {
      const answer = await made(cluster(), anObject('ClusterStack', { foo: 'bar' }, 'v1alpha1'));
      expect(specOf(answer)).not.toHaveProperty('foo');
      const path = `${collectionOf('ClusterStack')}/${nameOf(answer)}`;
      const contentType = 'application/merge-patch+json';
      expect(await saidOf(cluster().write('PATCH', path, { spec: { id: 'other' } }, { contentType }))).toBe('');
      expect((await cluster().write('DELETE', path, {})).status).toBe(200);
    });

    it('an object that v1alpha1 let in wrong may be labelled in v1alpha2, and not be made worse', async () => {
      const answer = await made(cluster(), anObject('Image', { tag: 'WRONG' }, 'v1alpha1'));
      expect(await saidOf(answer)).toBe('');
      const path = `${collectionOf('Image')}/${nameOf(answer)}`;
      const contentType = 'application/merge-patch+json';
      expect(await saidOf(cluster().write('PATCH', path, { metadata: { labels: { a: 'b' } } }, { contentType }))).toBe(
        '',
      );
      expect(
        await judged(
          cluster().write('PATCH', path, { spec: { additionalTags: ['bad tag'] } }, { contentType }),
          'invalid value: bad tag: spec.additionalTags[0]',
        ),
      ).toMatchObject(refused);
    });
  });
};
