/** An Image between v1alpha1 and v1alpha2 (spec 01 §10.1). */
import { carried, withCarried } from './carriers.ts';
import { objectIn, picked, present } from './json.ts';
import type { KindConversion } from './parts.ts';

const same = [
  'tag',
  'builder',
  'source',
  'failedBuildHistoryLimit',
  'successBuildHistoryLimit',
  'imageTaggingStrategy',
  'notary',
] as const;

/** Names of accounts, of the cache's size and of bindings differ; what has no field is carried. */
export const imageConversion: KindConversion = {
  toOlder({ annotations, spec, status }) {
    const build = objectIn(spec['build'], 'spec.build');
    const volume = objectIn(objectIn(spec['cache'], 'spec.cache')?.['volume'], 'spec.cache.volume');
    return {
      annotations: { ...annotations, ...carried(spec) },
      spec: present({
        ...picked(spec, same),
        serviceAccount: spec['serviceAccountName'],
        cacheSize: volume?.['size'],
        build: build && present({ ...picked(build, ['env', 'resources']), bindings: build['cnbBindings'] }),
      }),
      status,
    };
  },
  toStored({ annotations, spec, status }) {
    const build = objectIn(spec['build'], 'spec.build');
    const size = spec['cacheSize'] ?? undefined;
    const plain = present({
      ...picked(spec, same),
      serviceAccountName: spec['serviceAccount'],
      cache: size === undefined ? undefined : { volume: { size } },
      build: build && present({ ...picked(build, ['env', 'resources']), cnbBindings: build['bindings'] }),
    });
    return { ...withCarried(plain, annotations), status };
  },
};
