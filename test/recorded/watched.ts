/** Follows objects of a namespace and keeps every version of each. */
import type { KubeObject } from '../../lib/kube/object.ts';
import type { KubeTransport } from '../../lib/kube/transport.ts';
import { waitFor } from '../e2e/wait.ts';

/** What was seen so far. */
export interface Watched<T extends KubeObject> {
  readonly versions: readonly T[];
  /** The first version that is so, as soon as there is one. */
  first(isSo: (object: T) => boolean, what: string, seconds?: number): Promise<T>;
}

/** Begins to follow; ends with `signal`. */
export const watched = <T extends KubeObject>(
  transport: KubeTransport,
  path: string,
  signal: AbortSignal,
): Watched<T> => {
  const versions: T[] = [];
  const follow = async (): Promise<void> => {
    const stream = await transport.stream({ method: 'GET', path, query: { watch: '1' }, signal });
    let rest = '';
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      const lines = (rest + chunk.toString('utf8')).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) versions.push((JSON.parse(line) as { readonly object: T }).object);
    }
  };
  void (async () => {
    while (!signal.aborted) await follow().catch(() => undefined);
  })();
  return {
    versions,
    first: (isSo, what, seconds = 120) =>
      waitFor(() => versions.find(isSo), { what, seconds, seen: () => versions.at(-1) }),
  };
};
