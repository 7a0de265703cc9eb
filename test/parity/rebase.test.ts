import { describe, expect, it } from 'vitest';
import { digestOf, parseDigest } from '../../lib/oci/digest.ts';
import { imageFrom, type OciImage } from '../../lib/oci/image.ts';
import { configBytes, type Json, manifestBytes, recordIn, textIn, textsIn } from '../../lib/oci/image-json.ts';
import { rebaseRefusal } from '../../lib/oci/rebase-check.ts';
import { rebasedImage } from '../../lib/oci/rebased-image.ts';
import { type DigestReference, parseRepository, withDigest } from '../../lib/oci/reference.ts';
import { golden } from '../support/golden.ts';

const imageOf = (reference: DigestReference, manifest: Json, config: Json): OciImage =>
  imageFrom(reference, textIn(manifest, 'mediaType'), manifest, config);

const recorded = (name: string): { readonly manifest: Json; readonly config: Json } => ({
  manifest: golden(`registry/${name}.manifest.json`) as Json,
  config: golden(`registry/${name}.config.json`) as Json,
});

const repository = parseRepository('10.88.255.2:5000/apps/flow');

/** The run image the recording was rebased onto: its one layer and what the recording tells of it. */
const runImageOf = (rebased: { readonly manifest: Json; readonly config: Json }): OciImage => {
  const { manifest, config } = rebased;
  const layers = (manifest['layers'] as readonly Json[]).slice(0, 1);
  const diffIds = textsIn(recordIn(config, 'rootfs'), 'diff_ids').slice(0, 1);
  const digest = parseDigest('sha256:07e9c70b2a692a4d3130756cf6518db42b2c1652ab95f0ab79498c48cf80d8b1');
  return imageOf(
    withDigest(parseRepository('10.88.255.2:5000/builders/cb'), digest),
    { ...manifest, layers },
    {
      architecture: 'amd64',
      os: 'linux',
      rootfs: { type: 'layers', diff_ids: diffIds },
      config: {
        Env: ['NOT=taken'],
        User: 'nobody',
        Labels: { 'io.buildpacks.stack.id': 'test.stack', other: 'not taken' },
      },
    },
  );
};

describe('rebase', () => {
  it('03#196 makes the very image that the lifecycle’s rebaser made', () => {
    const [before, after] = [recorded('flow-build-4'), recorded('flow-build-5')];
    const app = imageOf(
      withDigest(repository, digestOf(manifestBytes(before.manifest))),
      before.manifest,
      before.config,
    );
    const run = runImageOf(after);
    expect(rebaseRefusal(app, run)).toBeUndefined();
    const made = rebasedImage(app, run);
    expect(Buffer.from(made.config).toString()).toBe(JSON.stringify(after.config));
    expect(made.configDigest).toBe(recordIn(after.manifest, 'config')['digest']);
    expect(JSON.parse(Buffer.from(made.manifest).toString())).toEqual(after.manifest);
  });

  it.each(['apps-flow', 'flow-build-1', 'flow-build-4', 'flow-build-5', 'builders-cb-clusterbuilder-cb'])(
    'prints %s again byte for byte',
    (name) => {
      const { manifest, config } = recorded(name);
      expect(digestOf(configBytes(config))).toBe(recordIn(manifest, 'config')['digest']);
    },
  );
});
