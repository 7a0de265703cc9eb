/**
 * A whole collection, page by page, each handed on before the next is asked for. Whoever takes long meanwhile, the list goes on from where it
 * is: an expired token says how (Kubernetes API concepts, "410 Gone responses"), and where it does not, what was handed on is passed over.
 */

import { type Collection, type Page, readPage } from './collection.ts';
import { isKubeError } from './errors.ts';
import { isNoNewer } from './versions.ts';
import type { WatchedMeta, WatchedObject } from './watch-events.ts';

/** What becomes of a list. */
export interface ListingPorts {
  /** The version of the first page, before anything of it is handed on. May throw, which ends the list. */
  begins(version: string): void;
  /** What is news of the next page, if anything; the list waits for it. */
  each(objects: readonly WatchedObject[]): Promise<void>;
  /** Whether the object is to be handed on. */
  isNews(meta: WatchedMeta): boolean;
}

/** Pages of about so many bytes: objects come with annotations and managed fields, a kilobyte or a megabyte. */
const pageBytes = 512 * 1024;
const [fewest, first, most] = [10, 20, 250];
/** A list that is begun anew more often than that is an error: whoever asks waits. */
const mostBeginnings = 3;

/** How many objects to ask for, after a page of so many. */
export const nextLimit = ({ objects, bytes }: Pick<Page, 'objects' | 'bytes'>): number =>
  objects.length === 0
    ? first
    : Math.max(fewest, Math.min(most, Math.floor(pageBytes / Math.max(1, bytes / objects.length))));

/** In the order of lists: that of the store's keys. */
const placeOf = ({ namespace = '', name = '' }: WatchedMeta): string => `${namespace}/${name}`;

/**
 * Gives the version up to which everything was handed on that is news: that of the list's first page. @throws KubeError, PermanentError, and
 * what the ports throw
 */
export const listCollection = async (
  collection: Collection,
  ports: ListingPorts,
  signal: AbortSignal,
): Promise<string> => {
  let version: string | undefined;
  let limit = first;
  let from: string | undefined;
  let beginnings = 1;
  /** The last object that was looked at, and where it was when the list was begun anew. */
  let reached = '';
  let passedOver = '';

  /** Of a list begun anew: before the place that was reached already, and not written since. */
  const isKnown = (meta: WatchedMeta): boolean =>
    placeOf(meta) <= passedOver && isNoNewer(meta.resourceVersion ?? '', version ?? '');

  const nextPage = async (): Promise<Page> => {
    for (;;)
      try {
        return await readPage(collection, { limit, from }, signal);
      } catch (error) {
        if (!isKubeError(error, 'expired') || from === undefined) throw error;
        if (error.continueFrom !== undefined && error.continueFrom !== from) from = error.continueFrom;
        else if (beginnings === mostBeginnings) throw error;
        else [from, passedOver, beginnings] = [undefined, reached, beginnings + 1];
      }
  };

  do {
    const page = await nextPage();
    if (version === undefined) {
      ports.begins(page.version);
      version = page.version;
    }
    const news = page.objects.filter(({ metadata }) => !isKnown(metadata) && ports.isNews(metadata));
    await ports.each(news);
    const last = page.objects.at(-1);
    if (last !== undefined) reached = [reached, placeOf(last.metadata)].toSorted().at(-1) ?? '';
    limit = nextLimit(page);
    from = page.next;
  } while (from !== undefined && !signal.aborted);
  return version;
};
