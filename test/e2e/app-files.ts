/** What is in an image, without running it: that would cost the node a pod. */
import { gunzipSync } from 'node:zlib';
import { unpackTar } from 'modern-tar';
import type { Digest } from '../../lib/oci/digest.ts';
import { parseReference } from '../../lib/oci/reference.ts';
import type { Suite } from './suite.ts';

const folder = 'workspace/';
const limitBytes = 64 * 1024 * 1024;

/** The app's files by path in its folder. */
export const appFiles = async ({ content }: Suite, image = ''): Promise<Readonly<Record<string, string>>> => {
  const reference = parseReference(image);
  const { bytes } = await content.getManifest(reference);
  const { layers } = JSON.parse(new TextDecoder().decode(bytes)) as {
    readonly layers: readonly { readonly digest: Digest; readonly size: number }[];
  };
  const files: Record<string, string> = {};
  for (const layer of layers) {
    const entries = await unpackTar(gunzipSync(await content.readBlob(reference, layer, { limitBytes })));
    for (const { header, data } of entries) {
      const path = header.name.replace(/^\//, '');
      if (path.startsWith(folder) && data !== undefined)
        files[path.slice(folder.length)] = Buffer.from(data).toString('utf8');
    }
  }
  return files;
};
