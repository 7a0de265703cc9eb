/** Media types of images and indexes in both dialects (image-spec media-types.md; Docker image manifest v2 schema 2; spec 04 §9.4). */

export const dockerManifestType = 'application/vnd.docker.distribution.manifest.v2+json';
export const dockerIndexType = 'application/vnd.docker.distribution.manifest.list.v2+json';
export const dockerConfigType = 'application/vnd.docker.container.image.v1+json';
export const dockerLayerType = 'application/vnd.docker.image.rootfs.diff.tar.gzip';
export const ociManifestType = 'application/vnd.oci.image.manifest.v1+json';
export const ociIndexType = 'application/vnd.oci.image.index.v1+json';
export const ociConfigType = 'application/vnd.oci.image.config.v1+json';
export const ociLayerType = 'application/vnd.oci.image.layer.v1.tar+gzip';

/** What we ask for: images and indexes of both dialects. Schema 1 is not asked for; a registry that has nothing else answers 404 or it and is told apart. */
export const acceptManifests: string = [dockerManifestType, ociManifestType, dockerIndexType, ociIndexType].join(',');

/** True for a list of manifests, one per platform. */
export const isIndexType = (mediaType: string): boolean => mediaType === dockerIndexType || mediaType === ociIndexType;

/** True for the pre-2016 format, which carries no config and cannot be read. */
export const isSchema1Type = (mediaType: string): boolean =>
  mediaType.startsWith('application/vnd.docker.distribution.manifest.v1+');

/** True for layers that may not be pushed on (foreign, non-distributable): they stay where their URLs say. */
export const isForeignLayerType = (mediaType: string): boolean =>
  mediaType.includes('.foreign.') || mediaType.includes('.nondistributable.');
