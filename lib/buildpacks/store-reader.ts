/** From buildpackage images to the sorted `status.buildpacks` of ClusterStore, Buildpack and ClusterBuildpack (spec 04 §6.1). */
import type { BuildpackStatus, ExtensionStatus } from '../api/buildpacks.ts';
import { PermanentError } from '../errors/expected.ts';
import { bytewise } from '../text/bytewise.ts';
import {
  type BuildpackageLabel,
  buildpackageLabelOf,
  extensionLayersLabelOf,
  type LayersLabel,
  layersLabelOf,
} from './labels.ts';
import type { ReadableImage, ReadableLayer } from './readable-image.ts';

/** One source as written in the spec, and the image found there. */
export interface StoreSource {
  /** The reference as written: it becomes `storeImage.image` unresolved. */
  readonly image: string;
  readonly content: ReadableImage;
}

type LayerLabel = LayersLabel[string][string];

const assertDiffId = (text: string, of: string): void => {
  const fail = (cause: string): never => {
    throw new PermanentError('', `unable to parse layer diffId for ${of}: ${cause}`);
  };
  const colon = text.indexOf(':');
  if (colon < 0) fail(`cannot parse hash: ${JSON.stringify(text)}`);
  const [algorithm, hex] = [text.slice(0, colon), text.slice(colon + 1)];
  const strange = /[^0-9a-f]/u.exec(hex);
  if (strange !== null) fail(`found non-hex character in hash: ${strange[0]}`);
  if (algorithm !== 'sha256') fail(`unsupported hash: ${JSON.stringify(algorithm)}`);
  if (hex.length !== 64) fail(`wrong number of hex digits for sha256: ${hex}`);
};

/** A source with what all its entries need, looked up once. */
interface OpenSource extends StoreSource {
  readonly buildpackage: BuildpackageLabel | undefined;
  /** Places of diffIDs; of equal ones the first. */
  readonly places: ReadonlyMap<string, number>;
}

const opened = (source: StoreSource): OpenSource => ({
  ...source,
  buildpackage: buildpackageLabelOf(source.content),
  places: new Map(source.content.diffIds.map((diffId, index) => [diffId, index] as const).toReversed()),
});

const layerWith = (diffId: string, of: string, { content: { diffIds, layers }, places }: OpenSource): ReadableLayer => {
  const index = places.get(diffId);
  if (index === undefined) throw new PermanentError('', `unable to get layer ${of}: unknown diffID ${diffId}`);
  const layer = layers[index];
  if (layer === undefined || layers.length !== diffIds.length) {
    throw new PermanentError(
      '',
      `unable to get layer ${of}: mismatched fs layers (${layers.length}) and diff ids (${diffIds.length})`,
    );
  }
  return layer;
};

const orderFrom = (order: LayerLabel['order']): BuildpackStatus['order'] =>
  order.map(({ group }) => ({
    group: group.map(({ id, version, optional }) => ({
      id,
      ...(version && { version }),
      ...(optional && { optional }),
    })),
  }));

const entryFrom = (id: string, version: string, label: LayerLabel, source: OpenSource): BuildpackStatus => {
  const of = `${id}@${version}`;
  assertDiffId(label.layerDiffID, of);
  const { digest, size } = layerWith(label.layerDiffID, of, source);
  const { image, buildpackage } = source;
  return {
    id,
    ...(version && { version }),
    buildpackage: {
      ...(buildpackage?.id && { id: buildpackage.id }),
      ...(buildpackage?.version && { version: buildpackage.version }),
      ...(buildpackage?.homepage && { homepage: buildpackage.homepage }),
    },
    storeImage: { image },
    diffId: label.layerDiffID,
    digest,
    ...(size && { size }),
    ...(label.api && { api: label.api }),
    ...(label.homepage && { homepage: label.homepage }),
    ...(label.order.length > 0 && { order: orderFrom(label.order) }),
    ...(label.stacks.length > 0 && {
      stacks: label.stacks.map(({ id: stack, mixins }) => ({ id: stack, ...(mixins.length > 0 && { mixins }) })),
    }),
  };
};

const entriesOf = (source: OpenSource): BuildpackStatus[] =>
  Object.entries(layersLabelOf(source.content)).flatMap(([id, versions]) =>
    Object.entries(versions).map(([version, label]) => entryFrom(id, version, label, source)),
  );

const extensionsOf = (source: OpenSource): ExtensionStatus[] =>
  Object.entries(extensionLayersLabelOf(source.content)).flatMap(([id, versions]) =>
    Object.entries(versions).map(([version, { api, layerDiffID, homepage }]) => {
      const of = `${id}@${version}`;
      assertDiffId(layerDiffID, of);
      const { digest, size } = layerWith(layerDiffID, of, source);
      const { image } = source;
      return {
        id,
        ...(version && { version }),
        storeImage: { image },
        diffId: layerDiffID,
        digest,
        ...(size && { size }),
        ...(api && { api }),
        ...(homepage && { homepage }),
      };
    }),
  );

/** `id@version`, the way a buildpack is named in messages and sorted in lists. */
export const nameOf = ({
  id,
  version,
}: {
  readonly id?: string | undefined;
  readonly version?: string | undefined;
}): string => `${id ?? ''}@${version ?? ''}`;

const byNameAndSource = (a: ExtensionStatus, b: ExtensionStatus): number =>
  bytewise(nameOf(a), nameOf(b)) || bytewise(a.storeImage?.image ?? '', b.storeImage?.image ?? '');

/**
 * Every buildpack of every source, ascending bytewise by `id@version` and then by source; what several sources hold is listed
 * several times. Throws PermanentError for labels that are missing, malformed or name layers the image has not.
 */
export const buildpacksIn = (sources: readonly StoreSource[]): readonly BuildpackStatus[] =>
  sources.map(opened).flatMap(entriesOf).sort(byNameAndSource);

/** The same of image extensions. */
export const extensionsIn = (sources: readonly StoreSource[]): readonly ExtensionStatus[] =>
  sources.map(opened).flatMap(extensionsOf).sort(byNameAndSource);

/** The lists as a status has them: left out when empty. `images` are the contents of `sources`, in the same order. */
export const buildpacksOf = (
  sources: readonly { readonly image: string }[],
  images: readonly ReadableImage[],
): { readonly buildpacks?: readonly BuildpackStatus[]; readonly extensions?: readonly ExtensionStatus[] } => {
  const found = images.flatMap((content, index) => {
    const source = sources[index];
    return source === undefined ? [] : [{ image: source.image, content }];
  });
  const [buildpacks, extensions] = [buildpacksIn(found), extensionsIn(found)];
  return { ...(buildpacks.length > 0 && { buildpacks }), ...(extensions.length > 0 && { extensions }) };
};
