/** A Build between v1alpha1 and v1alpha2 (spec 01 §10.2). */
import { objectIn, picked, present, textIn } from './json.ts';
import type { KindConversion } from './parts.ts';

const same = ['tags', 'builder', 'source', 'env', 'resources', 'notary'] as const;
const lastBuildFields = ['image', 'stackId'] as const;

/** Names of accounts, of the cache's claim and of bindings differ; kpack carries nothing else. */
export const buildConversion: KindConversion = {
  toOlder({ annotations, spec, status }) {
    const volume = objectIn(objectIn(spec['cache'], 'spec.cache')?.['volume'], 'spec.cache.volume');
    const lastBuild = objectIn(spec['lastBuild'], 'spec.lastBuild');
    const claim = textIn(volume?.['persistentVolumeClaimName'], 'spec.cache.volume.persistentVolumeClaimName');
    return {
      annotations,
      spec: present({
        ...picked(spec, same),
        serviceAccount: spec['serviceAccountName'],
        bindings: spec['cnbBindings'],
        cacheName: claim === '' ? undefined : claim,
        lastBuild: lastBuild && picked(lastBuild, lastBuildFields),
      }),
      status,
    };
  },
  toStored({ annotations, spec, status }) {
    const claim = textIn(spec['cacheName'], 'spec.cacheName');
    const lastBuild = objectIn(spec['lastBuild'], 'spec.lastBuild');
    return {
      annotations,
      spec: present({
        ...picked(spec, same),
        serviceAccountName: spec['serviceAccount'],
        cnbBindings: spec['bindings'],
        cache: claim === '' ? undefined : { volume: { persistentVolumeClaimName: claim } },
        lastBuild: lastBuild && picked(lastBuild, lastBuildFields),
      }),
      status,
    };
  },
};
