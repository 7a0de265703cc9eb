/** Ends of texts cut off in one pass: `/x+$/` looks from every place of the text to its end. */

/** The text without the characters `what` (one UTF-16 unit) at its end. */
export const withoutEnd = (text: string, what: string): string => {
  let end = text.length;
  while (end > 0 && text[end - 1] === what) end -= 1;
  return text.slice(0, end);
};

/** The text without the characters `what` (one UTF-16 unit) at either end. */
export const withoutEnds = (text: string, what: string): string => {
  let start = 0;
  while (start < text.length && text[start] === what) start += 1;
  return withoutEnd(text.slice(start), what);
};
