import * as v from 'valibot';
import { longestName, object, quantity, text, textUpTo } from './field.ts';
import { orEmpty, type Rule, ruled } from './rule.ts';

const registry = (description: string) =>
  v.optional(object({ tag: v.optional(text('Tag of the cache image; empty for none.'), '') }, description));

const oneCache: Rule = {
  rule: '!has(self.volume) || !has(self.registry)',
  message: 'only one type of cache can be specified: registry, volume',
};

/** Both sizes are there and are quantities. */
const bothSizes =
  'has(self.size) && has(oldSelf.size) && isQuantity(string(self.size)) && isQuantity(string(oldSelf.size))';

const neverSmaller: Rule = {
  rule: `!(${bothSizes}) || !quantity(string(self.size)).isLessThan(quantity(string(oldSelf.size)))`,
  fieldPath: '.size',
  message: 'Field cannot be decreased',
  messageExpression:
    "'Field cannot be decreased: current: ' + string(oldSelf.size) + ', requested: ' + string(self.size)",
};

const [classNow, classBefore] = [orEmpty('self.storageClassName'), orEmpty('oldSelf.storageClassName')];

const sameClass: Rule = {
  rule: `!(${bothSizes}) || ${classNow} == ${classBefore}`,
  fieldPath: '.storageClassName',
  message: 'Immutable field changed',
  messageExpression: `'Immutable field changed: got: ' + ${classNow} + ', want: ' + ${classBefore}`,
};

/** An Image's cache. Present but empty means: no cache. Source: spec 01 §3.8. */
export const ImageCacheConfigSchema = ruled(
  object(
    {
      volume: v.optional(
        ruled(
          object(
            {
              size: v.optional(quantity('Size of the volume; it can grow, not shrink.')),
              storageClassName: v.optional(
                textUpTo(longestName, 'Storage class of the volume; the default class when left out.'),
              ),
            },
            'A volume that keeps layers between builds.',
          ),
          neverSmaller,
          sameClass,
        ),
      ),
      registry: registry('An image that keeps layers between builds.'),
    },
    'Where layers are kept between builds: a volume, a registry, or nowhere when empty.',
  ),
  oneCache,
);

/** A Build's cache. Source: spec 01 §3.8. */
export const BuildCacheConfigSchema = ruled(
  object(
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
  ),
  oneCache,
);

/** An Image's cache: needs a volume if `volume.size` is present, a registry if `registry.tag` is not empty. */
export type ImageCacheConfig = v.InferOutput<typeof ImageCacheConfigSchema>;
/** A Build's cache: needs a volume if its claim name is not empty, a registry if `registry.tag` is not empty. */
export type BuildCacheConfig = v.InferOutput<typeof BuildCacheConfigSchema>;
