/** The labels through which buildpack, stack and lifecycle images say what they are (spec 04 §5). Unknown keys are ignored. */
import * as v from 'valibot';
import { PermanentError } from '../errors/expected.ts';
import { labelBounds } from '../oci/label-bounds.ts';
import { parseJson } from '../text/bounded-json.ts';
import { labelOf, type ReadableImage } from './readable-image.ts';

const buildpackageMetadataLabel = 'io.buildpacks.buildpackage.metadata';
export const buildpackLayersLabel = 'io.buildpacks.buildpack.layers';
export const buildpackOrderLabel = 'io.buildpacks.buildpack.order';
export const extensionLayersLabel = 'io.buildpacks.extension.layers';
export const extensionOrderLabel = 'io.buildpacks.buildpack.order-extensions';
export const builderMetadataLabel = 'io.buildpacks.builder.metadata';
export const lifecycleApisLabel = 'io.buildpacks.lifecycle.apis';
export const lifecycleVersionLabel = 'io.buildpacks.lifecycle.version';
export const stackIdLabel = 'io.buildpacks.stack.id';
const stackMixinsLabel = 'io.buildpacks.stack.mixins';

/** As Go decodes: absent and null are the empty text, the empty list, false. */
const text = v.nullish(v.string(), '');
const texts = v.nullish(v.array(v.nullable(v.string(), '')), []);
const list = <T extends v.GenericSchema>(item: T) => v.nullish(v.array(item), []);

const BuildpackageSchema = v.object({ id: text, version: text, homepage: text });

const OrderSchema = list(
  v.object({ group: list(v.object({ id: text, version: text, optional: v.nullish(v.boolean(), false) })) }),
);

const LayersSchema = v.record(
  v.string(),
  v.record(
    v.string(),
    v.object({
      api: text,
      layerDiffID: text,
      order: OrderSchema,
      stacks: list(v.object({ id: text, mixins: texts })),
      homepage: text,
    }),
  ),
);

const ExtensionLayersSchema = v.nullish(
  v.record(v.string(), v.record(v.string(), v.object({ api: text, layerDiffID: text, homepage: text }))),
  {},
);

const ApisSchema = v.nullish(v.object({ deprecated: texts, supported: texts }), {});
const LifecycleApisSchema = v.object({ buildpack: ApisSchema, platform: ApisSchema });
const LifecycleMetadataSchema = v.object({
  lifecycle: v.nullish(v.object({ version: text }), {}),
  api: v.nullish(v.object({ buildpack: text, platform: text }), {}),
});

const MixinsSchema = texts;

/** Which buildpackage an image is. */
export type BuildpackageLabel = v.InferOutput<typeof BuildpackageSchema>;
/** Id → version → the layer that holds the buildpack, with what it needs and orders. */
export type LayersLabel = v.InferOutput<typeof LayersSchema>;
/** Id → version → the layer that holds the image extension. */
export type ExtensionLayersLabel = v.InferOutput<typeof ExtensionLayersSchema>;
/** The APIs a lifecycle speaks. */
export type LifecycleApisLabel = v.InferOutput<typeof LifecycleApisSchema>;
/** Version of a lifecycle image and the one API pair old platforms know. */
export type LifecycleMetadataLabel = v.InferOutput<typeof LifecycleMetadataSchema>;

/** The JSON of a label. Throws PermanentError when the label is missing, no JSON or of another shape. */
export const parseLabel = <T extends v.GenericSchema>(
  schema: T,
  image: ReadableImage,
  key: string,
): v.InferOutput<T> => {
  const label = labelOf(image, key);
  let value: unknown;
  try {
    value = parseJson(label, labelBounds);
  } catch (cause) {
    throw new PermanentError('', `label ${key} of ${image.identifier} is not JSON: ${(cause as Error).message}`, {
      cause,
    });
  }
  const parsed = v.safeParse(schema, value);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw new PermanentError(
    '',
    `label ${key} of ${image.identifier} is malformed at ${v.getDotPath(issue) ?? 'its root'}: ${issue.message}`,
  );
};

/** Undefined for images without it, such as whole builders used as a store. Throws PermanentError when it is malformed. */
export const buildpackageLabelOf = (image: ReadableImage): BuildpackageLabel | undefined =>
  image.labels[buildpackageMetadataLabel] === undefined
    ? undefined
    : parseLabel(BuildpackageSchema, image, buildpackageMetadataLabel);

/** Empty for a package of image extensions alone. Throws PermanentError when it is missing otherwise, or malformed. */
export const layersLabelOf = (image: ReadableImage): LayersLabel =>
  image.labels[buildpackLayersLabel] === undefined && image.labels[extensionLayersLabel] !== undefined
    ? {}
    : parseLabel(LayersSchema, image, buildpackLayersLabel);

/** Empty for images without it: most packages hold buildpacks alone. Throws PermanentError when it is malformed. */
export const extensionLayersLabelOf = (image: ReadableImage): ExtensionLayersLabel =>
  image.labels[extensionLayersLabel] === undefined
    ? {}
    : parseLabel(ExtensionLayersSchema, image, extensionLayersLabel);

/** Throws PermanentError when it is missing or malformed. */
export const lifecycleMetadataLabelOf = (image: ReadableImage): LifecycleMetadataLabel =>
  parseLabel(LifecycleMetadataSchema, image, builderMetadataLabel);

/** Throws PermanentError when it is missing or malformed. */
export const lifecycleApisLabelOf = (image: ReadableImage): LifecycleApisLabel =>
  parseLabel(LifecycleApisSchema, image, lifecycleApisLabel);

/** Mixins of a build or run image; none when the label is absent. Throws PermanentError when it is malformed. */
export const mixinsLabelOf = (image: ReadableImage): readonly string[] =>
  image.labels[stackMixinsLabel] === undefined ? [] : parseLabel(MixinsSchema, image, stackMixinsLabel);
