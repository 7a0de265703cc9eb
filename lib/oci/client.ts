/** The registry port over HTTP (distribution-spec; spec 04 §9). */
import { createApi, type RegistryOptions } from './api.ts';
import { deleteBlob, hasBlob, openBlob, openBlobAt, readBlob } from './blobs.ts';
import { isOciError } from './errors.ts';
import { deleteManifest, getManifest, headManifest, putManifest } from './manifests.ts';
import type { Registry } from './registry.ts';
import { listTags } from './tags.ts';
import { cancel, startMount, uploadBlob } from './upload.ts';
import { pushBlobInSittings } from './upload-sittings.ts';

/** A client for every registry its keychain knows, anonymous elsewhere. Cheap: make one per pass, but share the session. */
export const openRegistry = (options: RegistryOptions = {}): Registry => {
  const api = createApi(options);
  return {
    reader: options.reader,
    getManifest: (reference, call) => getManifest(api, reference, call),
    headManifest: (reference, call) => headManifest(api, reference, call),
    putManifest: (reference, manifest, call) => putManifest(api, reference, manifest, call),
    deleteManifest: (reference, call) => deleteManifest(api, reference, call),
    listTags: (repository, call) => listTags(api, repository, call),
    hasBlob: (repository, digest, call) => hasBlob(api, repository, digest, call),
    readBlob: (repository, blob, call) => readBlob(api, repository, blob, call),
    openBlob: (repository, blob, call) => openBlob(api, repository, blob, call),
    openBlobAt: (repository, blob, firstByte, call) => openBlobAt(api, repository, blob, firstByte, call),
    mountBlob: async (repository, digest, from, call = {}) => {
      try {
        const session = await startMount(api, repository, digest, from, call);
        if (session !== undefined) await cancel(api, repository, session);
        else api.known.set(repository.registry, { repository, to: `blobs/${digest}` });
        return session === undefined;
      } catch (error) {
        if (isOciError(error) && ['denied', 'unauthorized', 'not-found', 'rejected'].includes(error.code)) return false;
        throw error;
      }
    },
    pushBlob: (repository, blob, call) => uploadBlob(api, repository, blob, call),
    pushBlobInSittings: (repository, blob, call) => pushBlobInSittings(api, repository, blob, call),
    deleteBlob: (repository, digest, call) => deleteBlob(api, repository, digest, call),
  };
};
