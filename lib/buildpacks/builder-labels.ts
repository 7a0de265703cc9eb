/** The labels of a builder image, to the byte (spec 04 §5, §8.7). */
import type { BuildpackStatus, ExtensionStatus } from '../api/buildpacks.ts';
import type { ResolvedLifecycle } from '../api/lifecycle.ts';
import { type GoJson, goJson, sortedMap } from '../text/go-json.ts';
import {
  builderMetadataLabel,
  buildpackLayersLabel,
  buildpackOrderLabel,
  extensionLayersLabel,
  extensionOrderLabel,
  lifecycleApisLabel,
  lifecycleVersionLabel,
} from './labels.ts';
import type { ResolvedGroup } from './toml.ts';

/** What a builder says of itself. */
export interface BuilderContent {
  /** Tag and digest of the relocated run image. */
  readonly runImage: string;
  readonly lifecycle: ResolvedLifecycle;
  /** In the order of their layers; nested ones too. */
  readonly buildpacks: readonly BuildpackStatus[];
  readonly order: readonly ResolvedGroup[];
  /** Absent in builders without image extensions, which say nothing of them. */
  readonly extensions?:
    | { readonly order: readonly ResolvedGroup[]; readonly layers: readonly ExtensionStatus[] }
    | undefined;
  readonly additionalLabels: Readonly<Record<string, string>>;
  /** Who made it, `v1.2.3 (git sha: abc)`. */
  readonly creatorVersion: string;
}

type Apis = NonNullable<ResolvedLifecycle['apis']>;

const filled = (list: readonly string[] | null | undefined): readonly string[] | null =>
  list !== null && list !== undefined && list.length > 0 ? list : null;
const apiSet = (set: Apis['buildpack'] | undefined): GoJson => ({
  deprecated: filled(set?.deprecated),
  supported: filled(set?.supported),
});
const apisOf = ({ apis }: ResolvedLifecycle): GoJson => ({
  buildpack: apiSet(apis?.buildpack),
  platform: apiSet(apis?.platform),
});

const orUndefined = (text: string | undefined): string | undefined => (text === '' ? undefined : text);
const listOrUndefined = <T>(list: readonly T[] | undefined): readonly T[] | undefined =>
  list === undefined || list.length === 0 ? undefined : list;

type Group = {
  readonly group?: readonly {
    readonly id: string;
    readonly version?: string | undefined;
    readonly optional?: boolean | undefined;
  }[];
};

const orderJson = (order: readonly Group[]): readonly GoJson[] =>
  order.map(({ group }) => ({
    group: listOrUndefined(group)?.map(({ id, version, optional }) => ({
      id,
      version: orUndefined(version),
      optional: optional === true ? true : undefined,
    })),
  }));

const layerJson = ({ api = '', diffId = '', order, stacks, homepage }: BuildpackStatus): GoJson => ({
  api,
  layerDiffID: diffId,
  order: listOrUndefined(orderJson(order ?? [])),
  stacks: listOrUndefined(stacks)?.map(({ id, mixins }) => ({ id, mixins: listOrUndefined(mixins) })),
  homepage: orUndefined(homepage),
});

/** Id → version → layer, both sorted bytewise. Of equal ids and versions the last one stays. */
const layersJson = (buildpacks: readonly BuildpackStatus[]): GoJson => {
  const byId = new Map<string, Map<string, GoJson>>();
  for (const buildpack of buildpacks) {
    const versions = byId.get(buildpack.id) ?? new Map<string, GoJson>();
    byId.set(buildpack.id, versions.set(buildpack.version ?? '', layerJson(buildpack)));
  }
  return sortedMap([...byId].map(([id, versions]) => [id, sortedMap(versions)] as const));
};

const modulesJson = (modules: readonly ExtensionStatus[]): readonly GoJson[] =>
  modules.map(({ id, version, homepage }) => ({ id, version: orUndefined(version), homepage: orUndefined(homepage) }));

const metadataJson = ({ runImage, lifecycle, buildpacks, extensions, creatorVersion }: BuilderContent): GoJson => ({
  description: 'Custom Builder built with kpack',
  stack: { runImage: { image: runImage, mirrors: null } },
  lifecycle: {
    version: lifecycle.version ?? '',
    api: { buildpack: orUndefined(lifecycle.api?.buildpack), platform: orUndefined(lifecycle.api?.platform) },
    apis: apisOf(lifecycle),
  },
  createdBy: { name: 'kpack Builder', version: creatorVersion },
  buildpacks: modulesJson(buildpacks),
  extensions: extensions === undefined ? undefined : modulesJson(extensions.layers),
});

const extensionLabels = ({ extensions }: BuilderContent): Readonly<Record<string, string>> =>
  extensions === undefined
    ? {}
    : {
        [extensionOrderLabel]: goJson(orderJson(extensions.order)),
        [extensionLayersLabel]: goJson(layersJson(extensions.layers)),
      };

/** The inherited labels with ours over them: users may override the lifecycle version and what is inherited, but not the rest. */
export const builderLabels = (
  inherited: Readonly<Record<string, string>>,
  content: BuilderContent,
): Readonly<Record<string, string>> => ({
  ...inherited,
  [lifecycleVersionLabel]: content.lifecycle.version ?? '',
  ...content.additionalLabels,
  [buildpackOrderLabel]: content.order.length === 0 ? 'null' : goJson(orderJson(content.order)),
  [buildpackLayersLabel]: goJson(layersJson(content.buildpacks)),
  ...extensionLabels(content),
  [lifecycleApisLabel]: goJson(apisOf(content.lifecycle)),
  [builderMetadataLabel]: goJson(metadataJson(content)),
});
