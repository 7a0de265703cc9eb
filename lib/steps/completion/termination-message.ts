/** The result of a build as the container's termination message: base64 of gzip of JSON (spec 03 §14). */
import { gzipSync } from 'node:zlib';
import type { BuildMetadata } from '../../builds/metadata.ts';

/**
 * Longest message, in bytes. Kubernetes allows 4096 to one container, but 12288 to all of a pod together, shared equally: a pod of eight
 * steps and two injected sidecars has 1228 each, and a longer message would be cut off and lost (spec 03 §22.2).
 */
export const messageLimitBytes = 1200;

/**
 * Always within the limit. What is too long loses first the homepages, which is marked, and then the list of buildpacks, whose key is then
 * absent: the reader finds both in the labels of `latestImage`. Empty when not even the image fits, which no registry's name is long enough for.
 */
export function terminationMessage(metadata: BuildMetadata, limitBytes: number = messageLimitBytes): string {
  const { buildpacks, stackId, ...rest } = metadata;
  const base = { ...rest, stackID: stackId };
  const forms: readonly object[] = [
    { buildpackMetadata: buildpacks, ...base },
    { buildpackMetadata: buildpacks.map(({ id, version }) => ({ id, version })), partial: true, ...base },
    base,
    { latestImage: metadata.latestImage },
  ];
  return forms.map(packed).find((message) => message.length <= limitBytes) ?? '';
}

function packed(value: object): string {
  return gzipSync(JSON.stringify(value), { level: 9 }).toString('base64');
}
