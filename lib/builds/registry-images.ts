/** The images of a Build over real registries, with the credentials of ServiceAccounts (spec 03 §1.3, §13). */
import { configCache } from '../buildpacks/fetch-image.ts';
import type { Account } from '../buildpacks/offers.ts';
import { PermanentError } from '../errors/expected.ts';
import type { KubeClient } from '../kube/client.ts';
import { type OciImage, readImage } from '../oci/image.ts';
import { rebaseImage } from '../oci/rebase.ts';
import { parseReference, parseTag, printReference, withDigest } from '../oci/reference.ts';
import type { Registry } from '../oci/registry.ts';
import { signImage } from '../signing/sign-image.ts';
import type { ImageFacts, Images } from './images-port.ts';

/** Opens a registry client for an account; `accountRegistries` (lib/buildpacks) makes one. */
export type OpenRegistries = (kube: KubeClient, account: Account) => Promise<Registry>;

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
 * by account, as another may not be allowed to read it.
 */
const digestCache = () => {
  const kept = new Map<string, ImageFacts>();
  const keyOf = (
    cluster: string,
    { namespace, serviceAccount, imagePullSecrets = [] }: Account,
    name: string,
  ): string => JSON.stringify([cluster, namespace, serviceAccount, ...imagePullSecrets, name]);
  return {
    get: (cluster: string, account: Account, name: string) => kept.get(keyOf(cluster, account, name)),
    put: (cluster: string, account: Account, name: string, facts: ImageFacts): void => {
      const [oldest] = kept.keys();
      if (kept.size >= rememberedImages && oldest !== undefined) kept.delete(oldest);
      kept.set(keyOf(cluster, account, name), facts);
    },
  };
};

/** Reads and rebases in the registries that `open` reaches. One per process: it remembers what it read by digest. */
export const registryImages = (open: OpenRegistries): Images => {
  const remembered = digestCache();
  const configs = configCache();
  return {
    read: async (name, account, { cluster, kube, signal }) => {
      const reference = parseReference(name);
      const byDigest = reference.digest !== undefined;
      const known = byDigest ? remembered.get(cluster, account, printReference(reference)) : undefined;
      if (known !== undefined) return known;
      const facts = factsOf(await readImage(await open(kube, account), reference, { signal }));
      if (byDigest) remembered.put(cluster, account, printReference(reference), facts);
      return facts;
    },
    rebase: async ({ image, runImage, tags }, account, { kube, signal }) => {
      const registry = await open(kube, account);
      const request = { app: parseReference(image), runImage: parseReference(runImage), tags: tags.map(parseTag) };
      const { content } = await rebaseImage({ app: registry }, request, { signal, configs });
      return factsOf(content);
    },
    sign: async ({ image, key: { key, repository, dockerMediaTypes }, annotations }, account, { kube, signal }) => {
      const reference = parseReference(image);
      if (reference.digest === undefined) throw new PermanentError('', `${image} has no digest`);
      const registry = await open(kube, account);
      const signed = withDigest(reference, reference.digest);
      await signImage(registry, { image: signed, key, annotations, repository, dockerMediaTypes, signal });
    },
  };
};
