/** `image/app`, `bld/app-build-1`, `GitPoll/…`: how people name an object of any kind that has passes. */
import { isKind, kindNames, kinds } from '../../api/kinds.ts';
import { queueRows } from '../../reconcile/kind-table.ts';

/** An object without its cluster. */
export interface Named {
  readonly kind: string;
  readonly name: string;
}

/** Words for kinds: as kubectl takes them, and ours. */
const words: ReadonlyMap<string, string> = new Map([
  ...queueRows.map(({ kind }) => [kind.toLowerCase(), kind] as const),
  ...kindNames.flatMap((kind) => {
    const { plural, singular, shortNames } = kinds[kind];
    return [plural, singular, ...shortNames].map((word) => [word, kind] as const);
  }),
]);

/** Every word that stands for a kind. */
export const kindWords: readonly string[] = [...words.keys()];

/** What `text` names; undefined when it is no `<kind>/<name>` of a kind that has passes. */
export const kindNamed = (text: string): Named | undefined => {
  const slash = text.indexOf('/');
  const kind = words.get(text.slice(0, Math.max(0, slash)).toLowerCase());
  const name = text.slice(slash + 1);
  return kind === undefined || name === '' ? undefined : { kind, name };
};

/** Whether objects of the kind lie in a namespace. */
export const isNamespaced = (kind: string): boolean => !isKind(kind) || kinds[kind].scope === 'Namespaced';
