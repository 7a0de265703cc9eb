/** The way of an Image to its pod as a chain of passes, from the log: which, how many, and where the time goes. */
import { median } from './row.ts';
import type { PassLine } from './system.ts';

/** One pass on the way. Milliseconds: `waited` for watch and queue since the pass before it ended, `took` itself. */
export interface Hop {
  readonly name: string;
  readonly waited: number;
  readonly took: number;
}

const isOfImage = ({ kind, name }: PassLine, image: string): boolean =>
  (kind === 'Image' && name === image) ||
  (kind === 'SourceResolver' && name === `${image}-source`) ||
  (kind === 'Build' && name === `${image}-build-1`);

/**
 * The passes for `image` that began between its creation and its pod (milliseconds since 1970), in order of their ends. What was skipped
 * is no hop: it read nothing and nobody waited for it.
 */
export const hopsOf = (
  passes: readonly PassLine[],
  image: string,
  createdAt: number,
  podAt: number,
): readonly Hop[] => {
  const own = passes
    .filter((pass) => isOfImage(pass, image) && pass.result !== 'skipped' && pass.at - pass.ms <= podAt)
    .toSorted((a, b) => a.at - b.at);
  let before = createdAt;
  return own.map(({ kind, result, at, ms }) => {
    const waited = Math.max(0, at - ms - before);
    before = at;
    return { name: `${kind} ${result}`, waited, took: ms };
  });
};

/** How a chain reads: `Image again → Build again`. */
export const chainName = (hops: readonly Hop[]): string => hops.map(({ name }) => name).join(' → ');

/** The chain that most Images took: its hops with their median times, and how many took it. */
export const commonChain = (
  chains: readonly (readonly Hop[])[],
): { readonly hops: readonly Hop[]; readonly taken: number } => {
  const [most = []] = [...Map.groupBy(chains, chainName).values()].toSorted((a, b) => b.length - a.length);
  const [first = []] = most;
  const hops = first.map(({ name }, index) => ({
    name,
    waited: median(most.map((chain) => chain[index]?.waited ?? 0)),
    took: median(most.map((chain) => chain[index]?.took ?? 0)),
  }));
  return { hops, taken: most.length };
};
