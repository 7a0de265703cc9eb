/** Answers that end at a known time, asked for once by all who want them at the same moment, and kept until shortly before their end. */

/** An answer, and until when (Unix ms) it may be handed out. */
export interface EndingAnswer<T> {
  readonly value: T;
  readonly untilMs: number;
}

/** How many are kept, and for how long a failure is believed (ms): it would slow everybody who asks else. */
interface KeptAnswersOptions {
  readonly most: number;
  readonly failureMs: number;
  readonly now: () => number;
}

/** Gives the kept answer, or what `ask` brings; the one asked for longest ago is forgotten first. Throws what `ask` throws. */
export type KeptAnswers<T> = (key: string, ask: () => Promise<EndingAnswer<T>>) => Promise<T>;

/** An empty memory. */
export const keptAnswers = <T>({ most, failureMs, now }: KeptAnswersOptions): KeptAnswers<T> => {
  const kept = new Map<string, { readonly answer: Promise<T>; untilMs: number }>();
  return (key, ask) => {
    const known = kept.get(key);
    if (known !== undefined && known.untilMs > now()) return known.answer;
    const asked = ask();
    // Until it has come nobody asks again.
    const entry = { answer: asked.then(({ value }) => value), untilMs: Number.POSITIVE_INFINITY };
    kept.delete(key);
    kept.set(key, entry);
    const [oldest] = kept.keys();
    if (kept.size > most && oldest !== undefined) kept.delete(oldest);
    asked.then(
      ({ untilMs }) => (entry.untilMs = untilMs),
      () => (entry.untilMs = now() + failureMs),
    );
    return entry.answer;
  };
};
