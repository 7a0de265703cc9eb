import * as v from 'valibot';
import { object, quantity, text } from './field.ts';

const registry = (description: string) => v.optional(object({ tag: text('Tag of the cache image.') }, description));

/** An Image's cache. Present but empty means: no cache. Source: spec 01 §3.8. */
export const ImageCacheConfigSchema = object(
  {
    volume: v.optional(
      object(
        {
          size: v.optional(quantity('Size of the volume; it can grow, not shrink.')),
          storageClassName: v.optional(text('Storage class of the volume; the default class when left out.')),
        },
        'A volume that keeps layers between builds.',
      ),
    ),
    registry: registry('An image that keeps layers between builds.'),
  },
  'Where layers are kept between builds: a volume, a registry, or nowhere when empty.',
);

/** A Build's cache. Source: spec 01 §3.8. */
export const BuildCacheConfigSchema = object(
  {
    volume: v.optional(
      object(
        { persistentVolumeClaimName: v.optional(text('Name of the claim in the namespace of the Build.')) },
        'A volume that keeps layers between builds.',
      ),
    ),
    registry: registry('An image that keeps layers between builds.'),
  },
  'Where layers are kept between builds.',
);

/** An Image's cache: needs a volume if `volume.size` is present, a registry if `registry.tag` is not empty. */
export type ImageCacheConfig = v.InferOutput<typeof ImageCacheConfigSchema>;
/** A Build's cache: needs a volume if its claim name is not empty, a registry if `registry.tag` is not empty. */
export type BuildCacheConfig = v.InferOutput<typeof BuildCacheConfigSchema>;
