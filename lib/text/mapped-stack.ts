/** A stack of a bundle, told by the files that the bundle was made of. */

/** A place in a bundle, counted from 1 as V8 prints it. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** The place in a source; undefined where a bundle's line comes from none. */
export type SourceOf = (
  place: Place,
) => { readonly file: string; readonly line: number; readonly column: number } | undefined;

/** How `…/handler.mjs:12:345` ends, as V8 writes it within a frame. */
const placeInBundle = /\.mjs:(\d{1,7}):(\d{1,9})$/;

/** The text with every place in a bundle replaced by that in its source. What is no such place, or comes from no source, stays. */
export const mappedStack = (text: string, sourceOf: SourceOf): string =>
  text
    .split(/([\s()])/)
    .map((word) => {
      const place = placeInBundle.exec(word);
      const source = place === null ? undefined : sourceOf({ line: Number(place[1]), column: Number(place[2]) });
      return source === undefined ? word : `${source.file}:${source.line}:${source.column}`;
    })
    .join('');
