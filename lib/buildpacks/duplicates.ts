/**
 * What an order has twice. kpack makes such builders, and so do we; but it is hardly what somebody meant, so it is said (spec 04 §8.2 "Not
 * validated").
 */
import type { BuildpackStatus } from '../api/buildpacks.ts';
import { nameOf } from './store-reader.ts';

interface Group {
  readonly group: readonly { readonly id?: string | undefined }[];
}

/** A composite buildpack, and the first way to it. */
export interface OrderedBuildpack {
  readonly buildpack: BuildpackStatus;
  readonly path: string;
}

/** At most this many are said. */
const mostSaid = 3;

const repeated = (texts: readonly string[]): readonly string[] => {
  const seen = new Set<string>();
  return [...new Set(texts.filter((text) => seen.size === seen.add(text).size))];
};

/** At detection a buildpack of a group is tried once, whatever its version (lifecycle detector): later ones never are. */
const inGroups = (groups: readonly Group[], where: (index: number) => string): readonly string[] =>
  groups.flatMap(({ group }, index) =>
    repeated(group.map(({ id = '' }) => id)).map((id) => `${where(index)} has ${id} more than once, the first counts`),
  );

/** Both would be at one place in the image, and the upper layer would hide the other. */
const inImage = (buildpacks: readonly BuildpackStatus[]): readonly string[] => {
  const layers = new Map<string, Set<string>>();
  for (const buildpack of buildpacks)
    layers.set(nameOf(buildpack), (layers.get(nameOf(buildpack)) ?? new Set()).add(buildpack.diffId ?? ''));
  return [...layers].flatMap(([name, { size }]) =>
    size > 1 ? [`${name} is there ${size} times with other content, one hides the others`] : [],
  );
};

/** One text for a condition; empty when there is nothing to say. `buildpacks` are all of the builder's, `composites` those that order others. */
export const duplicatesIn = (
  order: readonly Group[],
  buildpacks: readonly BuildpackStatus[],
  composites: readonly OrderedBuildpack[],
): string => {
  const all = [
    ...inGroups(order, (index) => `group ${index + 1}`),
    ...composites.flatMap(({ buildpack, path }) =>
      inGroups(buildpack.order ?? [], (index) => `${path} → group ${index + 1}`),
    ),
    ...inImage(buildpacks),
  ];
  const more = all.length > mostSaid ? [`and ${all.length - mostSaid} more`] : [];
  return [...all.slice(0, mostSaid), ...more].join('; ');
};
