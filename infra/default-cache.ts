/** The policy that writes the default cache into Images, for API servers that have such policies (docs/decisions/0016-default-cache.md). */
import type { KubeClient } from '../lib/kube/client.ts';
import { isKubeError } from '../lib/kube/errors.ts';
import type { KubeObject } from '../lib/kube/object.ts';
import { objectsIn } from './command/manifests.ts';

/**
 * The policy and its binding; none where the API server does not serve them, or does not let the caller look: the reconciler decides there.
 * @throws KubeError
 */
export const defaultCachePolicy = async (kube: KubeClient): Promise<readonly KubeObject[]> => {
  try {
    await kube.list('MutatingAdmissionPolicy');
  } catch (error) {
    // Who may not list what is not served is told that, before that it is not.
    if (isKubeError(error, 'not-found') || isKubeError(error, 'forbidden')) return [];
    throw error;
  }
  return objectsIn('default-cache.yaml');
};
