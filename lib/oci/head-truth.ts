/**
 * Whether "not there" is to be believed when HEAD says it. Some proxies let no HEAD through, and caches of other registries know nothing at HEAD of what
 * they would fetch at GET. A manifest is asked for by GET in any case; of blobs, which are asked for by the dozen before a push, a registry is
 * believed once its HEAD has told of something that is known to be there.
 */
import type { Api } from './api.ts';
import { discard } from './http.ts';
import type { Repository } from './reference.ts';
import type { CallOptions } from './registry.ts';

/** Something that a registry gave or took, as `manifests/…` or `blobs/…`. */
export interface Known {
  readonly repository: Repository;
  readonly to: string;
}

/**
 * HEAD says that something is not there, or that there is no HEAD: proxies have several words for it, and a storage host that a registry sends us to with a
 * URL signed for GET says 403. What GET says then counts, and says why.
 */
export const isHeadsNo = (status: number): boolean => [400, 403, 404, 405, 406, 501].includes(status);

/** Notes what came of a HEAD: that it told, or that it did not know of what GET then brought, which weighs more. */
export const noteHead = ({ session: { headTruth } }: Api, registry: string, told: boolean): void => {
  if (!told || !headTruth.has(registry)) headTruth.set(registry, told);
};

/** Is a HEAD of this registry believed that does not know of a blob? Asks it of something known, once in a process, where nothing is known of it. */
export const isHeadBelieved = async (api: Api, { registry }: Repository, options: CallOptions): Promise<boolean> => {
  const { headTruth } = api.session;
  const known = api.known.get(registry);
  if (!headTruth.has(registry) && known !== undefined) {
    const head = await api.call(known.repository, { ...options, method: 'HEAD', to: known.to, actions: ['pull'] });
    await discard(head);
    if (head.status === 200 || isHeadsNo(head.status)) noteHead(api, registry, head.status === 200);
  }
  return headTruth.get(registry) ?? false;
};
