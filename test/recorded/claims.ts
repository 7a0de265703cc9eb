/** Claims of caches that are not as they should be. */
import { chmodSync, chownSync } from 'node:fs';
import type { PersistentVolume, PersistentVolumeClaim } from 'kubernetes-types/core/v1.d.ts';
import type { KubeObject } from '../../lib/kube/object.ts';
import { waitFor } from '../e2e/wait.ts';
import type { Scenario } from './scenario.ts';
import { ask, type Stage, type WantedBuild } from './stage.ts';

const makeClaim = ({ suite }: Stage, namespace: string, name: string, spec: object = {}): Promise<KubeObject> =>
  suite.kube.create({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { namespace, name },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '50Mi' } }, ...spec },
  } as KubeObject);
/** A Build's cache on a claim. */
export const cachedBy = (name: string): WantedBuild['spec'] => ({
  cache: { volume: { persistentVolumeClaimName: name } },
});

/** A claim whose folder belongs to another user. */
export const foreignCache = async (stage: Stage, namespace: string): Promise<void> => {
  await makeClaim(stage, namespace, 'foreign-cache');
  const { kube, transport } = stage.suite;
  const claim = await waitFor(
    async () => {
      const found = await kube.get<PersistentVolumeClaim & KubeObject>({
        kind: 'PersistentVolumeClaim',
        namespace,
        name: 'foreign-cache',
      });
      return found?.status?.phase === 'Bound' && found;
    },
    { what: 'the claim' },
  );
  const path = `/api/v1/persistentvolumes/${claim.spec?.volumeName ?? ''}`;
  const volume = JSON.parse((await transport.send({ method: 'GET', path })).body) as PersistentVolume;
  const folder = volume.spec?.hostPath?.path ?? '';
  chownSync(folder, 0, 0);
  chmodSync(folder, 0o700);
};

/** A claim on a volume that is not on the node. */
export const lostVolume = async (stage: Stage, namespace: string): Promise<void> => {
  await ask(stage, 'POST', '/api/v1/persistentvolumes', {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'cache-of-team' },
    spec: {
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: '50Mi' },
      storageClassName: '',
      claimRef: { namespace, name: 'lost-volume' },
      hostPath: { path: '/no/such/volume', type: 'Directory' },
    },
  });
  await makeClaim(stage, namespace, 'lost-volume', { storageClassName: '', volumeName: 'cache-of-team' });
};

/** A claim with this spec. */
export const claimOf =
  (name: string, spec: object = {}): NonNullable<Scenario['before']> =>
  async (stage, namespace) => {
    await makeClaim(stage, namespace, name, spec);
  };
