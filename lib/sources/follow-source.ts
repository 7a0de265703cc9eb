/** Looks for new content behind the URL of a blob or the tag of an image, and puts what it found into the resolved source. */
import type { BlobSource, RegistrySource } from '../api/source-config.ts';
import type { SourceResolver } from '../api/source-resolver.ts';
import { behalfOf, type OpenRegistry } from '../buildpacks/opening.ts';
import { OciError } from '../oci/errors.ts';
import { parseReference, printReference, repositoryOf, withDigest } from '../oci/reference.ts';
import type { Pass } from '../reconcile/reconciler.ts';
import { blobAuthorization } from './blob-authorization.ts';
import { type Followed, followedVersion, sourceDigest, type Version } from './followed-version.ts';
import type { ProbeBlob } from './probe-blob.ts';
import { SourceProbeError } from './probe-error.ts';

/** What looking needs. */
export interface FollowPorts {
  readonly probeBlob: ProbeBlob;
  readonly registryFor: OpenRegistry;
}

/** The blob's URL with its version behind `#`: never sent to a host, but another version is another source to an Image. */
export const blobUrlAt = (url: string, version: string): string =>
  `${url}${url.includes('#') ? '&' : '#'}version=${version}`;

const anybody = { authorization: undefined };

/** The version of a blob. @throws SourceProbeError, KubeError */
export const followBlob = (
  { probeBlob }: FollowPorts,
  resolver: SourceResolver,
  { url, auth = '' }: BlobSource,
  intervalSeconds: number,
  pass: Pass,
): Promise<Followed> => {
  const account = resolver.spec.serviceAccount ?? '';
  return followedVersion(
    pass,
    { of: sourceDigest([url, auth, account]), intervalSeconds },
    async (): Promise<Version> => {
      const namespace = resolver.metadata.namespace ?? '';
      const opened = auth === '' ? anybody : await blobAuthorization(pass.kube, namespace, account, { url, auth });
      if ('notFollowed' in opened) return opened;
      const version = await probeBlob({ url, authorization: opened.authorization }, pass.signal);
      return version === undefined
        ? { notFollowed: 'the host of the blob tells neither ETag nor Last-Modified' }
        : { version };
    },
  );
};

/** The image at its digest. @throws SourceProbeError, KubeError */
export const followImage = (
  { registryFor }: FollowPorts,
  resolver: SourceResolver,
  { image, imagePullSecrets = [] }: RegistrySource,
  intervalSeconds: number,
  pass: Pass,
): Promise<Followed> => {
  const serviceAccount = resolver.spec.serviceAccount ?? '';
  const pullSecrets = imagePullSecrets.map(({ name }) => name ?? '').filter((name) => name !== '');
  const of = sourceDigest([image, pullSecrets, serviceAccount]);
  return followedVersion(pass, { of, intervalSeconds }, async (): Promise<Version> => {
    const reference = parseReference(image);
    if (reference.digest !== undefined) return { notFollowed: 'the image is named by its digest, which cannot move' };
    const namespace = resolver.metadata.namespace ?? '';
    try {
      const account = { namespace, serviceAccount, imagePullSecrets: pullSecrets };
      const behalf = behalfOf('SourceResolver', namespace);
      const registry = await registryFor(pass.kube, account, { behalf, access: 'read' });
      const head = await registry.headManifest(reference, { signal: pass.signal });
      if (head === undefined) throw new SourceProbeError(`${image} is not there`, { pace: 'slow' });
      return { version: printReference(withDigest(repositoryOf(reference), head.digest)) };
    } catch (error) {
      if (!(error instanceof OciError)) throw error;
      const { pace, retryAfterSeconds } = error;
      throw new SourceProbeError(`${image} could not be looked at: ${error.message}`, {
        pace,
        retryAfterSeconds,
        cause: error,
      });
    }
  });
};
