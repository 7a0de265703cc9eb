/**
 * The base images a buildpack is made for, beyond kpack, which drops them (buildpacks/spec buildpack.md "Targets", platform.md "Target Data").
 * Whatever one side leaves unsaid fits: the lifecycle asks again at detection, and then also reads /etc/os-release.
 */
import * as v from 'valibot';
import { PermanentError } from '../errors/expected.ts';
import type { Platform } from '../oci/descriptor.ts';
import { buildpackLayersLabel, parseLabel } from './labels.ts';
import type { ReadableImage } from './readable-image.ts';

const text = v.nullish(v.string(), '');
const list = <T extends v.GenericSchema>(item: T) => v.nullish(v.array(item), []);
const TargetSchema = v.object({
  os: text,
  arch: text,
  variant: text,
  distros: list(v.object({ name: text, version: text })),
});
const LayersSchema = v.record(
  v.string(),
  v.record(v.string(), v.object({ layerDiffID: text, targets: list(TargetSchema) })),
);

/** One entry of `targets` in buildpack.toml; what is empty is any. */
export type Target = v.InferOutput<typeof TargetSchema>;

/** What a builder is for. */
export interface BaseTarget extends Platform {
  /** Empty where neither base image says it. */
  readonly distro: { readonly name: string; readonly version: string };
}

/** Of every buildpack of a package its targets, by `targetsKey`; none of an image that is no package. Throws PermanentError for a malformed label. */
export const targetsIn = (image: ReadableImage): ReadonlyMap<string, readonly Target[]> => {
  if (image.labels[buildpackLayersLabel] === undefined) return new Map();
  const layers = parseLabel(LayersSchema, image, buildpackLayersLabel);
  return new Map(
    Object.entries(layers).flatMap(([id, versions]) =>
      Object.entries(versions).map(
        ([version, { layerDiffID, targets }]) => [targetsKey({ id, version, diffId: layerDiffID }), targets] as const,
      ),
    ),
  );
};

/** How `targetsIn` names a buildpack: a package whose tag has moved holds another under the same version, which says nothing of this one. */
export const targetsKey = ({
  id,
  version = '',
  diffId = '',
}: {
  readonly id: string;
  readonly version?: string | undefined;
  readonly diffId?: string | undefined;
}): string => JSON.stringify([id, version, diffId]);

const nameLabel = 'io.buildpacks.base.distro.name';
const versionLabel = 'io.buildpacks.base.distro.version';

/** The platform of the build image with the distribution of the run image, as the lifecycle sees it; of the build image if the run image says none. */
export const baseTargetOf = (build: ReadableImage, run: ReadableImage): BaseTarget => {
  const { labels } = [run, build].find((image) => nameLabel in image.labels || versionLabel in image.labels) ?? run;
  return { ...build.platform, distro: { name: labels[nameLabel] ?? '', version: labels[versionLabel] ?? '' } };
};

const agree = (a: string, b: string): boolean => a === '' || b === '' || a === b;

const fits = ({ os, arch, variant, distros }: Target, base: BaseTarget): boolean =>
  agree(os, base.os) &&
  agree(arch, base.architecture) &&
  agree(variant, base.variant) &&
  (distros.length === 0 ||
    distros.some(({ name, version }) => agree(name, base.distro.name) && agree(version, base.distro.version)));

type Distro = BaseTarget['distro'];
const platform = (...parts: readonly [string, ...string[]]): string => {
  const said = parts.findLastIndex((part) => part !== '' && part !== '*');
  return parts
    .slice(0, Math.max(said, 0) + 1)
    .map((part) => part || '*')
    .join('/');
};
const distribution = ({ name, version }: Distro): string => [name, version].filter((part) => part !== '').join(' ');
const within = (distros: readonly Distro[]): string => {
  const names = distros.map(distribution).filter((name) => name !== '');
  return names.length > 0 ? ` (${names.join(', ')})` : '';
};

/** Throws PermanentError when there are targets and none of them fits; `path` is where the order asks for the buildpack. */
export const assertTargetsFit = (name: string, path: string, targets: readonly Target[], base: BaseTarget): void => {
  if (targets.length === 0 || targets.some((target) => fits(target, base))) return;
  const theirs = targets.map(({ os, arch, variant, distros }) => platform(os, arch, variant) + within(distros));
  const ours = platform(base.os, base.architecture, base.variant) + within([base.distro]);
  throw new PermanentError(
    'ReconcileFailed',
    `validating buildpack ${name}: it is for ${theirs.join(' or ')}, the builder for ${ours}; ordered by ${path}`,
  );
};
