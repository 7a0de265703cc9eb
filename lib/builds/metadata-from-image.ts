/** The same result read from the labels of the image: after a rebase without a pod, and when the step's message is lost (spec 03 §14). */
import * as v from 'valibot';
import { labelBounds } from '../oci/label-bounds.ts';
import { parseReference, parseRepository, printRepository } from '../oci/reference.ts';
import { parseJson } from '../text/bounded-json.ts';
import type { BuildMetadata } from './metadata.ts';

/** Labels that the exporter puts on an application image (spec 03 §12). */
const stackIdLabel = 'io.buildpacks.stack.id';
const lifecycleMetadataLabel = 'io.buildpacks.lifecycle.metadata';
const buildMetadataLabel = 'io.buildpacks.build.metadata';

const text = v.optional(v.string(), '');

const lifecycleMetadata = v.object({
  runImage: v.optional(v.object({ reference: text }), { reference: '' }),
  stack: v.optional(v.object({ runImage: v.optional(v.object({ image: text }), { image: '' }) }), {
    runImage: { image: '' },
  }),
});

const modules = v.optional(
  v.nullable(v.array(v.object({ id: text, version: text, homepage: v.optional(v.string()) }))),
);
const buildMetadata = v.object({
  buildpacks: modules,
  extensions: modules,
  launcher: v.optional(v.object({ version: text }), { version: '' }),
});

const json = (label: string | undefined): unknown => {
  try {
    return parseJson(label ?? '{}', labelBounds);
  } catch {
    return {};
  }
};

/** `<repository of the stack's run image>@<digest of the run image really used>`, as STACK builds are decided by it. */
const runImageOf = (label: string | undefined): string => {
  const parsed = v.safeParse(lifecycleMetadata, json(label));
  if (!parsed.success || parsed.output.runImage.reference === '') return '';
  const { reference } = parsed.output.runImage;
  // `reference` may be an image id of a daemon in images built elsewhere; then there is no digest to compare.
  try {
    const used = parseReference(reference);
    const named = parsed.output.stack.runImage.image || reference;
    return used.digest === undefined ? '' : `${printRepository(parseRepository(named))}@${used.digest}`;
  } catch {
    return '';
  }
};

/** What the labels of an application image say. Anything missing or unreadable is empty: the image was built all the same. */
export const metadataFromImage = (
  labels: Readonly<Record<string, string>>,
  { latestImage, latestCacheImage }: Pick<BuildMetadata, 'latestImage' | 'latestCacheImage'>,
): BuildMetadata => {
  const parsed = v.safeParse(buildMetadata, json(labels[buildMetadataLabel]));
  const built = parsed.success ? parsed.output : { buildpacks: [], extensions: [], launcher: { version: '' } };
  return {
    latestImage,
    latestCacheImage,
    stackId: labels[stackIdLabel] ?? '',
    stackRunImage: runImageOf(labels[lifecycleMetadataLabel]),
    lifecycleVersion: built.launcher.version,
    // Extensions too: a new version of one is as good a reason to build again.
    buildpacks: [...(built.buildpacks ?? []), ...(built.extensions ?? [])].map(({ id, version, homepage }) => ({
      id,
      version,
      ...(homepage === undefined || homepage === '' ? {} : { homepage }),
    })),
  };
};
