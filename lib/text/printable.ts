/** Text from outside made fit to be shown: in a condition, a log line, a label. */

/** As much of a message as is shown: a condition is read by people, and an object has little more than a MB for everything. */
export const shownCharacters = 4096;

/** Unicode category C: controls, formats (bidirectional overrides, zero-width), surrogates, private use, unassigned; and its line ends. */
const unprintable = /[\p{C}\p{Zl}\p{Zp}]/gu;
const unprintableInLines = /(?!\n)[\p{C}\p{Zl}\p{Zp}]/gu;

const cutOff = (text: string, mostCharacters: number): string => {
  // So few units are no more characters.
  if (text.length <= mostCharacters) return text;
  const characters = Array.from(text);
  return characters.length > mostCharacters ? `${characters.slice(0, mostCharacters).join('')}…` : text;
};

/**
 * One line of at most `mostCharacters` characters (code points), without anything that cannot be seen. What is invisible becomes a space, as it may
 * have separated words; the rest behind the limit becomes `…`. Takes time linear in what is shown, whatever it is given.
 */
export const printable = (text: string, mostCharacters: number): string =>
  // A code point takes at most two units: what lies beyond cannot be shown, so it is not looked at.
  cutOff(text.slice(0, 2 * mostCharacters + 2).replaceAll(unprintable, ' '), mostCharacters);

/** The same of several lines: line feeds stay, as logs and lists in a message have them. */
export const printableLines = (text: string, mostCharacters: number = shownCharacters): string =>
  cutOff(text.slice(0, 2 * mostCharacters + 2).replaceAll(unprintableInLines, ' '), mostCharacters);
