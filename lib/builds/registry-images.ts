/** The images of a Build over real registries, with the credentials of ServiceAccounts (spec 03 §1.3, §13). */
import { configCache } from '../buildpacks/fetch-image.ts';
import type { Acting, OpenRegistry } from '../buildpacks/opening.ts';
import { PermanentError } from '../errors/expected.ts';
import { type OciImage, readImage } from '../oci/image.ts';
import { rebaseImage } from '../oci/rebase.ts';
import { parseReference, parseTag, printReference, withDigest } from '../oci/reference.ts';
import { signImage } from '../signing/sign-image.ts';
import type { ImageFacts, Images } from './images-port.ts';

const factsOf = ({ reference, labels, env, platform }: OciImage): ImageFacts => ({
  digest: reference.digest,
  os: platform.os,
  env,
  labels,
});

/** Builder images remembered by one process; there are few builders and many Builds. */
const rememberedImages = 100;

/**
 * What an account read under a digest once: that content cannot change, so a thousand Builds of one builder read it once. Kept apart
 * by account and namespace of the Build, as another may not be allowed to read it.
 */
const digestCache = () => {
  const kept = new Map<string, ImageFacts>();
  const keyOf = (
    cluster: string,
    { behalf, namespace, serviceAccount, imagePullSecrets = [] }: Acting,
    name: string,
  ): string => JSON.stringify([cluster, behalf, namespace, serviceAccount, ...imagePullSecrets, name]);
  return {
    get: (cluster: string, as: Acting, name: string) => kept.get(keyOf(cluster, as, name)),
    put: (cluster: string, as: Acting, name: string, facts: ImageFacts): void => {
      const [oldest] = kept.keys();
      if (kept.size >= rememberedImages && oldest !== undefined) kept.delete(oldest);
      kept.set(keyOf(cluster, as, name), facts);
    },
  };
};

/** Reads and rebases in the registries that `open` reaches. One per process: it remembers what it read by digest. */
export const registryImages = (open: OpenRegistry): Images => {
  const remembered = digestCache();
  const configs = configCache();
  return {
    read: async (name, as, { cluster, kube, signal }) => {
      const reference = parseReference(name);
      const byDigest = reference.digest !== undefined;
      const known = byDigest ? remembered.get(cluster, as, printReference(reference)) : undefined;
      if (known !== undefined) return known;
      const registry = await open(kube, as, { behalf: as.behalf, access: 'read' });
      const facts = factsOf(await readImage(registry, reference, { signal }));
      if (byDigest) remembered.put(cluster, as, printReference(reference), facts);
      return facts;
    },
    rebase: async ({ image, runImage, tags }, as, { kube, signal }) => {
      const request = { app: parseReference(image), runImage: parseReference(runImage), tags: tags.map(parseTag) };
      // The Build names all three: each is entered with what its own account and namespace may do there, for nothing but its part.
      const [tagged, last] = await Promise.all(
        (['write', 'read'] as const).map((access) => open(kube, as, { behalf: as.behalf, access })),
      );
      if (tagged === undefined || last === undefined) throw new Error('a rebase has two clients');
      const known = configs.of(last, request.runImage);
      const { content } = await rebaseImage({ tags: tagged, app: last, runImage: last }, request, {
        signal,
        configs: known,
      });
      return factsOf(content);
    },
    sign: async ({ image, key: { key, repository, dockerMediaTypes }, annotations }, as, { kube, signal }) => {
      const reference = parseReference(image);
      if (reference.digest === undefined) throw new PermanentError('', `${image} has no digest`);
      const registry = await open(kube, as, { behalf: as.behalf, access: 'write' });
      const signed = withDigest(reference, reference.digest);
      await signImage(registry, { image: signed, key, annotations, repository, dockerMediaTypes, signal });
    },
  };
};
