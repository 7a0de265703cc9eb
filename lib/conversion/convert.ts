/** An object of kpack.io in its other version (spec 01 §10), without loss where kpack loses (lib/conversion/remainder.ts). */
import * as v from 'valibot';
import { BuildSchema } from '../api/build.ts';
import { BuilderSchema } from '../api/builder.ts';
import type { ImageCacheConfig } from '../api/cache.ts';
import { ImageSchema } from '../api/image.ts';
import { remainderAnnotation } from '../api/labels.ts';
import { API_VERSION } from '../api/resource.ts';
import { OLDER_API_VERSION } from '../api/v1alpha1/resource.ts';
import { buildConversion } from './build.ts';
import { builderConversion } from './builder.ts';
import { type ConvertedKind, olderDefaults, storedDefaults } from './defaults.ts';
import { imageConversion } from './image.ts';
import { ConversionError, isJsonObject, type JsonObject, objectIn, present, withoutNulls } from './json.ts';
import type { KindConversion, Parts } from './parts.ts';
import { remainderOf, tooLarge, withRemainder } from './remainder.ts';

const kinds: Readonly<
  Record<ConvertedKind, { readonly conversion: KindConversion; readonly stored: v.GenericSchema }>
> = {
  Image: { conversion: imageConversion, stored: ImageSchema },
  Build: { conversion: buildConversion, stored: BuildSchema },
  Builder: { conversion: builderConversion, stored: BuilderSchema },
};

/** Whether a kind is another object in v1alpha1. */
export const isConvertedKind = (kind: string): kind is ConvertedKind => Object.hasOwn(kinds, kind);

/** What a conversion depends on besides the object. */
export interface ConversionOptions {
  /** What an Image without a cache gets on its way to v1alpha2; undefined where that is left to whoever admits or reconciles it. */
  readonly defaultCache?: ImageCacheConfig | undefined;
}

const annotationsIn = (metadata: JsonObject): Readonly<Record<string, string>> => {
  const annotations = objectIn(metadata['annotations'], 'metadata.annotations') ?? {};
  const wrong = Object.entries(annotations).find(([, value]) => typeof value !== 'string')?.[0];
  if (wrong !== undefined) throw new ConversionError(`metadata.annotations.${wrong} is no text`);
  return annotations as Readonly<Record<string, string>>;
};

const partsOf = (object: JsonObject): Parts => {
  const metadata = objectIn(object['metadata'], 'metadata') ?? {};
  return {
    annotations: annotationsIn(metadata),
    spec: objectIn(withoutNulls(object['spec']), 'spec') ?? {},
    status: objectIn(object['status'], 'status'),
  };
};

const assembled = (object: JsonObject, apiVersion: string, { annotations, spec, status }: Parts): JsonObject => {
  const metadata = objectIn(object['metadata'], 'metadata') ?? {};
  const { annotations: _, ...rest } = metadata;
  const hasAnnotations = Object.keys(annotations).length > 0;
  return present({
    ...object,
    apiVersion,
    metadata: hasAnnotations ? { ...rest, annotations } : rest,
    spec,
    status,
  });
};

const toOlder = (kind: ConvertedKind, object: JsonObject): JsonObject => {
  const { conversion } = kinds[kind];
  const parts = partsOf(object);
  const original = { ...parts, spec: storedDefaults(kind, parts.spec, undefined) };
  const older = conversion.toOlder(original);
  const spec = olderDefaults[kind](older.spec);
  const back = conversion.toStored({ ...older, spec });
  const remainder = remainderOf(original, { ...back, spec: storedDefaults(kind, back.spec, undefined) });
  const annotations =
    remainder === undefined ? older.annotations : { ...older.annotations, [remainderAnnotation]: remainder };
  return assembled(object, OLDER_API_VERSION, { ...older, spec, annotations });
};

const toStored = (kind: ConvertedKind, object: JsonObject, defaultCache: ImageCacheConfig | undefined): JsonObject => {
  const { conversion, stored } = kinds[kind];
  const parts = partsOf(object);
  const { [remainderAnnotation]: remainder, ...annotations } = parts.annotations;
  if (remainder === tooLarge)
    throw new ConversionError(
      'v1alpha2 says more of it than v1alpha1 can carry, and a change through v1alpha1 would lose that: change it in v1alpha2',
    );
  const plain = conversion.toStored({ ...parts, annotations });
  const finished = (spec: JsonObject): JsonObject => storedDefaults(kind, spec, undefined);
  if (remainder !== undefined) {
    const restored = withRemainder({ ...plain, spec: finished(plain.spec) }, remainder);
    const whole = restored && assembled(object, API_VERSION, { ...plain, ...restored });
    // Whoever writes the annotation says what is stored: it must be what v1alpha2 takes, or it stays an annotation.
    if (whole !== undefined && v.is(stored, whole)) return whole;
  }
  return assembled(object, API_VERSION, {
    annotations:
      remainder === undefined ? plain.annotations : { ...plain.annotations, [remainderAnnotation]: remainder },
    spec: storedDefaults(kind, plain.spec, defaultCache),
    status: plain.status,
  });
};

/**
 * The object in version `to`, `kpack.io/v1alpha1` or `kpack.io/v1alpha2`; one that is in it already is given back. Metadata other than annotations is
 * never touched.
 * @throws ConversionError that names the field which stands in the way
 */
export const convert = (
  kind: ConvertedKind,
  object: JsonObject,
  to: string,
  { defaultCache }: ConversionOptions = {},
): JsonObject => {
  const from = object['apiVersion'];
  if (from === to) return object;
  if (from === API_VERSION && to === OLDER_API_VERSION) return toOlder(kind, object);
  if (from === OLDER_API_VERSION && to === API_VERSION) return toStored(kind, object, defaultCache);
  throw new ConversionError(`it is in ${isJsonObject(from) ? 'no version' : String(from)} and cannot become ${to}`);
};
