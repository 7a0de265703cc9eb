import { chmodSync, chownSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { PersistentVolume, PersistentVolumeClaim } from 'kubernetes-types/core/v1.d.ts';

import { type AdminApi, ApiError } from './api.ts';
import { NODE_NAME } from './kubelet.ts';
import type { Report } from './report.ts';

const PROVISIONER = 'local.kpackless.io/folder';
const CLASS = 'local';
/** Who buildpacks run as in our images; hostPath ignores fsGroup, and the lifecycle may not chown (spec 07 §2). */
const OWNER = 1000;

const CLAIMS = '/api/v1/persistentvolumeclaims';
const VOLUMES = '/api/v1/persistentvolumes';

interface List<T> {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly T[];
}

/** Gives each claim of the default class a folder and removes the folder with the claim: as many volumes as are asked for, none to run out of. */
export interface Provisioner {
  stop(): void;
}

/** Creates the default StorageClass and starts serving it; the folders are below `dir`. */
export const startProvisioner = async (api: AdminApi, dir: string, report: Report): Promise<Provisioner> => {
  await api.ensure('/apis/storage.k8s.io/v1/storageclasses', {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: CLASS, annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
    provisioner: PROVISIONER,
    reclaimPolicy: 'Delete',
    volumeBindingMode: 'Immediate',
  });
  const stopped = new AbortController();
  void follow(api, CLAIMS, stopped.signal, report, () => provideAll(api, dir));
  void follow(api, VOLUMES, stopped.signal, report, () => reclaimAll(api, dir));
  return { stop: () => stopped.abort() };
};

/** Acts on the whole list at the start and again whenever something in it changes; a burst of changes is one more run. */
const follow = async (
  api: AdminApi,
  path: string,
  signal: AbortSignal,
  report: Report,
  act: () => Promise<string>,
): Promise<void> => {
  while (!signal.aborted) {
    try {
      let wake = (): void => {};
      let changed = false;
      const resourceVersion = await act();
      const ended = api
        .watch(
          `${path}?watch=1&resourceVersion=${resourceVersion}&timeoutSeconds=600`,
          () => {
            changed = true;
            wake();
          },
          signal,
        )
        .then(() => 'ended' as const);
      for (;;) {
        const event = new Promise<'changed'>((resolve) => {
          wake = () => resolve('changed');
          if (changed) resolve('changed');
        });
        if ((await Promise.race([ended, event])) === 'ended') break;
        changed = false;
        await act();
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ApiError) report(`volumes: ${error.message}`); // a lost connection is told by the one who lost it
      await sleep(1_000, undefined, { ref: false });
    }
  }
};

const provideAll = async (api: AdminApi, dir: string): Promise<string> => {
  const { items, metadata } = (await api.send('GET', CLAIMS)) as List<PersistentVolumeClaim>;
  for (const claim of items.filter(wantsVolume)) {
    const volume = volumeFor(claim, dir);
    const path = volume.spec?.hostPath?.path ?? '';
    mkdirSync(path, { recursive: true });
    chownSync(path, OWNER, OWNER);
    chmodSync(path, 0o775);
    await api.ensure(VOLUMES, volume);
  }
  return metadata.resourceVersion;
};

const reclaimAll = async (api: AdminApi, dir: string): Promise<string> => {
  const { items, metadata } = (await api.send('GET', VOLUMES)) as List<PersistentVolume>;
  for (const volume of items.filter(isReleased)) {
    rmSync(join(dir, volume.metadata?.name ?? 'none'), { recursive: true, force: true });
    await api.send('DELETE', `${VOLUMES}/${volume.metadata?.name ?? ''}`);
  }
  return metadata.resourceVersion;
};

const wantsVolume = (claim: PersistentVolumeClaim): boolean =>
  claim.spec?.storageClassName === CLASS &&
  claim.spec.volumeName === undefined &&
  claim.metadata?.deletionTimestamp === undefined;

const isReleased = (volume: PersistentVolume): boolean =>
  volume.metadata?.annotations?.['pv.kubernetes.io/provisioned-by'] === PROVISIONER &&
  volume.status?.phase === 'Released' &&
  volume.metadata.deletionTimestamp === undefined;

/** The volume is made for this very claim; the controller manager completes the binding. */
export const volumeFor = (claim: PersistentVolumeClaim, dir: string): PersistentVolume => {
  const { namespace = '', name = '', uid = '' } = claim.metadata ?? {};
  const volumeName = `pvc-${uid}`;
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: volumeName, annotations: { 'pv.kubernetes.io/provisioned-by': PROVISIONER } },
    spec: {
      accessModes: claim.spec?.accessModes ?? ['ReadWriteOnce'],
      capacity: { storage: claim.spec?.resources?.requests?.['storage'] ?? '1Gi' },
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid },
      hostPath: { path: join(dir, volumeName), type: 'Directory' },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [
            { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [NODE_NAME] }] },
          ],
        },
      },
      persistentVolumeReclaimPolicy: 'Delete',
      storageClassName: CLASS,
    },
  };
};
