/** Whether an image that image extensions may have touched can be put on another run image. Pure. */
import * as v from 'valibot';
import { labelBounds } from '../oci/label-bounds.ts';
import { parseReference, sameRepository } from '../oci/reference.ts';
import { parseJson } from '../text/bounded-json.ts';

const rebasableLabel = 'io.buildpacks.rebasable';
const lifecycleMetadataLabel = 'io.buildpacks.lifecycle.metadata';

const named = v.optional(v.object({ image: v.optional(v.string(), '') }), { image: '' });
const metadata = v.object({ runImage: named, stack: v.optional(v.object({ runImage: named })) });

/** The run image as it was named when the app was built; empty when the label does not say. */
const runImageIn = (label: string | undefined): string => {
  try {
    const { runImage, stack } = v.parse(metadata, parseJson(label ?? '{}', labelBounds));
    return runImage.image || (stack?.runImage.image ?? '');
  } catch {
    return '';
  }
};

/**
 * False for an image whose run image was extended with layers that need the old one (the lifecycle says so in a label), and for one whose
 * run image an extension chose: the builder's new run image is none of its business.
 */
export const isRebasable = (labels: Readonly<Record<string, string>>, runImage: string): boolean => {
  if (labels[rebasableLabel] === 'false') return false;
  const before = runImageIn(labels[lifecycleMetadataLabel]);
  if (before === '') return true;
  try {
    return sameRepository(parseReference(before), parseReference(runImage));
  } catch {
    return false;
  }
};
