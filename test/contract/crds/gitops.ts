/** GitOps tools apply the same manifest again and again, each as a field manager of its own: nothing may drift, and nothing be written twice. */
import { describe, expect, it } from 'vitest';
import { type Kind, kindNames } from '../../../lib/api/kinds.ts';
import { isJson, type Json } from '../../support/golden-objects.ts';
import { type Answer, collectionOf, type KpackCluster } from '../../support/kpack-cluster.ts';
import { anObject } from './chapter-01-table.ts';

/** As Argo CD and Flux call themselves. */
const managers = ['argocd-controller', 'kustomize-controller'] as const;
const contentType = 'application/apply-patch+yaml';

const metadataOf = ({ body }: Answer): Json => (isJson(body['metadata']) ? body['metadata'] : {});

/** What a tool compares: who owns which field is no drift. */
const shown = ({ body }: Answer): Json => {
  const { managedFields: _, ...metadata } = isJson(body['metadata']) ? body['metadata'] : {};
  return { ...body, metadata };
};

const richImage: Json = {
  additionalTags: ['some/other:1'],
  cache: { volume: { size: '1.5Gi' } },
  build: {
    env: [{ name: 'BP_JVM_VERSION', value: '21' }, { name: 'EMPTY' }],
    resources: { limits: { cpu: 0.5, memory: '1Gi' } },
    tolerations: [{ operator: 'Exists' }],
    nodeSelector: { pool: 'builds' },
    services: [{ name: 's', kind: 'Secret', apiVersion: 'v1' }],
  },
  cosign: { annotations: [{ name: 'team', value: 'a' }] },
};

const manifests: readonly { readonly kind: Kind; readonly version: string; readonly spec: Json }[] = [
  ...kindNames.map((kind) => ({ kind, version: 'v1alpha2', spec: {} })),
  { kind: 'Image', version: 'v1alpha2', spec: richImage },
  { kind: 'Image', version: 'v1alpha2', spec: { serviceAccountName: null, cache: {} } },
  {
    kind: 'Builder',
    version: 'v1alpha2',
    spec: { order: [{ group: [{ id: 'a' }, { kind: 'Buildpack', name: 'n' }] }] },
  },
  { kind: 'Image', version: 'v1alpha1', spec: { cacheSize: '1Gi', build: { env: [{ name: 'A' }] } } },
  { kind: 'ClusterStore', version: 'v1alpha1', spec: {} },
];

/** The suite, on a cluster that is there when its tests run. */
export const describeGitOps = (cluster: () => KpackCluster): void => {
  let number = 0;
  const applying = (kind: Kind, version: string, spec: Json) => {
    const name = `gitops-${++number}`;
    const path = `${collectionOf(kind, version)}/${name}`;
    const manifest = { ...anObject(kind, spec, version), metadata: { name, labels: { team: 'a' } } };
    const apply = (manager: string, more = ''): Promise<Answer> =>
      cluster().write('PATCH', `${path}?fieldManager=${manager}&force=true${more}`, manifest, { contentType });
    return { path, apply, manifest };
  };

  describe('GitOps', () => {
    it.each(manifests)(
      '%# $kind of $version is applied twice by either tool without a second write',
      async ({ kind, version, spec }) => {
        const { apply } = applying(kind, version, spec);
        for (const manager of managers) {
          const first = await apply(manager);
          expect(first.message).toBe('');
          const [tried, second] = [await apply(manager, '&dryRun=All'), await apply(manager)];
          expect(metadataOf(second)['resourceVersion']).toBe(metadataOf(first)['resourceVersion']);
          expect(shown(tried)).toEqual(shown(first));
          expect(metadataOf(second)['generation']).toBe(1);
        }
        const again = await apply(managers[0]);
        expect(metadataOf(again)['generation']).toBe(1);
      },
    );

    it('kpackless’ own writes of the status are no drift', async () => {
      const { apply, path } = applying('Image', 'v1alpha2', richImage);
      const first = await apply(managers[0]);
      const status = {
        observedGeneration: 1,
        conditions: [{ type: 'Ready', status: 'True' }],
        latestImage: 'some/image',
      };
      const written = await cluster().write('PUT', `${path}/status?fieldManager=kpackless`, { ...first.body, status });
      expect(written.message).toBe('');
      const second = await apply(managers[0]);
      expect(metadataOf(second)['resourceVersion']).toBe(metadataOf(written)['resourceVersion']);
      expect(second.body['status']).toEqual(status);
      expect(second.body['spec']).toEqual(first.body['spec']);
    });

    it('null stands for a field that is left out, but under server-side apply only where there is a default', async () => {
      const { apply, manifest } = applying('Image', 'v1alpha2', { serviceAccountName: null, notary: null });
      expect((await cluster().write('POST', collectionOf('Image'), manifest)).message).toBe('');
      const answer = await apply(managers[0]);
      expect(answer.status).toBe(422);
      expect(answer.causes[0]).toMatchObject({ field: 'spec.notary' });
    });

    it('an unknown field is refused under server-side apply, with its path, and found before by a dry run', async () => {
      const { apply } = applying('Image', 'v1alpha2', { serviceAcountName: 'x' });
      const answer = await apply(managers[0], '&dryRun=All');
      expect(answer.message).toContain('.spec.serviceAcountName: field not declared in schema');
      expect(answer.status).toBeGreaterThanOrEqual(400);
    });
  });
};
