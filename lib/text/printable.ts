/** Text from outside made fit to be shown: in a condition, a log line, a label. */

/** Unicode category C: controls, formats (bidirectional overrides, zero-width), surrogates, private use, unassigned. */
const unprintable = /\p{C}/gu;

/**
 * One line of at most `mostCharacters` characters (code points), without anything that cannot be seen. What is invisible becomes a space, as it may
 * have separated words; the rest behind the limit becomes `…`. Takes time linear in what is shown, whatever it is given.
 */
export const printable = (text: string, mostCharacters: number): string => {
  // A code point takes at most two units: what lies beyond cannot be shown, so it is not looked at.
  const seen = text.slice(0, 2 * mostCharacters + 2).replaceAll(unprintable, ' ');
  const characters = Array.from(seen);
  return characters.length > mostCharacters ? `${characters.slice(0, mostCharacters).join('')}…` : seen;
};
