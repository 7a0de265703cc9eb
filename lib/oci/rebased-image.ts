/** The image that a rebase makes, without any registry: manifest and config from those of the app and of the run image (spec 03 §13.3). Pure. */
import { PermanentError } from '../errors/expected.ts';
import { type GoJson, goJson } from '../text/go-json.ts';
import { baseLength, lifecycleMetadataLabel } from './base-length.ts';
import type { Descriptor } from './descriptor.ts';
import { type Digest, digestOf } from './digest.ts';
import type { OciImage } from './image.ts';
import { configBytes, manifestBytes, recordIn, textIn } from './image-json.ts';
import { parseOrdered } from './ordered-json.ts';

import { printReference } from './reference.ts';

/** A rebased image, not pushed yet. */
export interface RebasedImage {
  readonly mediaType: string;
  readonly manifest: Uint8Array;
  readonly digest: Digest;
  readonly config: Uint8Array;
  readonly configDigest: Digest;
  /** From the run image's repository. */
  readonly baseLayers: readonly Descriptor[];
  /** From the app's repository. */
  readonly appLayers: readonly Descriptor[];
  /** How many layers of the app image, from the bottom, were its old run image's. */
  readonly kept: number;
}

/** What the lifecycle stamps every image with, so that equal content has equal digests. */
const created = '1980-01-01T00:00:01Z';
const stackLabels = 'io.buildpacks.stack.';

/** The metadata label with another run image in it; all else stays as it is. */
const withRunImage = (label: string, topLayer: string, reference: string): string => {
  const parsed = parseOrdered(label, `label ${lifecycleMetadataLabel}`);
  const metadata: ReadonlyMap<string, GoJson> = parsed instanceof Map ? parsed : new Map<string, GoJson>();
  const was = metadata.get('runImage');
  const runImage = new Map<string, GoJson>(was instanceof Map ? was : []);
  runImage.set('topLayer', topLayer).set('reference', reference);
  return goJson(new Map([...metadata, ['runImage', runImage]]));
};

const rebasedLabels = (app: OciImage, run: OciImage, topLayer: string): Readonly<Record<string, string>> => ({
  ...Object.fromEntries(Object.entries(app.labels).filter(([key]) => !key.startsWith(stackLabels))),
  ...Object.fromEntries(Object.entries(run.labels).filter(([key]) => key.startsWith(stackLabels))),
  [lifecycleMetadataLabel]: withRunImage(
    app.labels[lifecycleMetadataLabel] ?? '{}',
    topLayer,
    printReference(run.reference),
  ),
});

const complete = (image: OciImage, which: string): void => {
  if (image.layers.length === image.diffIds.length && image.layers.length > 0) return;
  throw new PermanentError(
    '',
    `rebase app image: the ${which} image ${printReference(image.reference)} has ${image.layers.length} layers and ${image.diffIds.length} diffIDs`,
  );
};

/**
 * The app's own layers on the run image's, with the app's config but the run image's platform and stack labels. Media types and annotations
 * stay the app's (DESIGN §4: the lifecycle forces Docker's and drops annotations). Same images, same digest. `oldBase`: diffIDs of the
 * old run image, where base-length.ts asks for them. Throws PermanentError.
 */
export const rebasedImage = (app: OciImage, run: OciImage, oldBase?: readonly string[]): RebasedImage => {
  complete(app, 'app');
  complete(run, 'run');
  const kept = baseLength(app, oldBase);
  const appLayers = app.layers.slice(kept);
  const diffIds = [...run.diffIds, ...app.diffIds.slice(kept)];
  const config = configBytes({
    architecture: run.platform.architecture,
    os: run.platform.os,
    'os.version': textIn(run.config, 'os.version'),
    created,
    history: diffIds.map(() => ({ created })),
    rootfs: { type: 'layers', diff_ids: diffIds },
    config: { ...recordIn(app.config, 'config'), Labels: rebasedLabels(app, run, run.diffIds.at(-1) ?? '') },
  });
  const configDigest = digestOf(config);
  const manifest = manifestBytes({
    ...app.manifest,
    config: { mediaType: app.configDescriptor.mediaType, size: config.byteLength, digest: configDigest },
    layers: [...run.layers, ...appLayers].map(({ json }) => json),
  });
  const { mediaType } = app;
  const [digest, baseLayers] = [digestOf(manifest), run.layers];
  return { mediaType, manifest, digest, config, configDigest, baseLayers, appLayers, kept };
};
