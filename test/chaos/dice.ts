/**
 * Chance that can be repeated: each question has a name, and a seed gives it the same answer whatever was asked before. So a fault that is taken
 * out of a run changes what follows from it, and nothing else.
 */

/** FNV-1a over the text, stirred so that neighbours differ in every bit. */
const hash = (text: string): number => {
  let bits = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) bits = Math.imul(bits ^ text.charCodeAt(index), 0x01000193);
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
};

/** The answers of one seed. */
export interface Dice {
  /** A number in [0, 1). */
  chance(question: string): number;
  /** A number in [least, most). */
  between(question: string, least: number, most: number): number;
  /** One of several. @throws Error when there is none */
  oneOf<T>(question: string, several: readonly T[]): T;
}

export const diceOf = (seed: number): Dice => {
  const chance = (question: string): number => hash(`${seed}/${question}`) / 2 ** 32;
  return {
    chance,
    between: (question, least, most) => least + chance(question) * (most - least),
    oneOf: (question, several) => {
      const one = several[Math.floor(chance(question) * several.length)];
      if (one === undefined) throw new Error(`nothing to choose from: ${question}`);
      return one;
    },
  };
};
