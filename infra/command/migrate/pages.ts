/** All objects of a kind, page by page: a cluster may hold more Builds than fit into memory. */
import { ExpectedError } from '../../../lib/errors/expected.ts';
import { isKubeError } from '../../../lib/kube/errors.ts';
import type { KubeObject } from '../../../lib/kube/object.ts';
import { collectionPath, resourceOf } from '../../../lib/kube/resources.ts';
import type { KubeTransport } from '../../../lib/kube/transport.ts';

/** Objects have some kilobytes, and 1.5 MiB at most: a page of so many stays below what a transport reads. */
const pageSize = 40;
const pageSeconds = 60;

interface List {
  readonly items?: readonly KubeObject[] | null;
  readonly metadata?: { readonly continue?: string };
}

/**
 * A page after the other. When a list has expired between two pages the next is of the state of now, which the server offers itself (Kubernetes API
 * concepts, "410 Gone responses"). @throws KubeError; ExpectedError
 */
export const pagesOf = async function* (transport: KubeTransport, kind: string): AsyncGenerator<readonly KubeObject[]> {
  const { apiVersion } = resourceOf(kind);
  let from: string | undefined;
  do {
    let list: List;
    try {
      const { body } = await transport.send({
        method: 'GET',
        path: collectionPath(kind),
        query: { limit: String(pageSize), continue: from },
        deadlineSeconds: pageSeconds,
      });
      list = JSON.parse(body) as List;
    } catch (error) {
      if (error instanceof SyntaxError)
        throw new ExpectedError(`${transport.server} did not answer with a list of ${kind}s`);
      if (!isKubeError(error, 'expired') || error.continueFrom === undefined || error.continueFrom === from)
        throw error;
      from = error.continueFrom;
      continue;
    }
    yield (list.items ?? []).map((item) => ({ ...item, apiVersion, kind }));
    from = list.metadata?.continue || undefined;
  } while (from !== undefined);
};
