import { type LocalImage, makeImage } from './image.ts';
import { executable, folder, makeLayer } from './layer.ts';

export const SAMPLE_EXTENSION_ID = 'sample/extend';

export interface ExtensionOptions {
  /** Repository and tag, as `sample/extension:1.0.0`. */
  readonly name: string;
  readonly version: string;
}

const API = '0.10';

/**
 * An image extension in sh. It adds a file to the build image and one to the run image; files in the source make it do otherwise:
 * `choose-run-image` names another run image, with `as-it-is` beside it nothing is added to that, and with `rebasable` what is added may be
 * put on another run image. `root-script` is run as root in both images.
 */
export const sampleExtension = async ({ name, version }: ExtensionOptions): Promise<LocalImage> => {
  const dir = `cnb/extensions/${SAMPLE_EXTENSION_ID.replaceAll('/', '_')}`;
  const root = `${dir}/${version}`;
  const layer = await makeLayer([
    folder('cnb'),
    folder('cnb/extensions'),
    folder(dir),
    folder(root),
    folder(`${root}/bin`),
    executable(`${root}/bin/detect`, '#!/bin/sh\nexit 0\n'),
    executable(`${root}/bin/generate`, generateScript),
    { path: `${root}/extension.toml`, content: descriptor(version) },
  ]);
  return makeImage(name, [layer], {
    labels: {
      'io.buildpacks.buildpackage.metadata': JSON.stringify({ id: SAMPLE_EXTENSION_ID, version }),
      'io.buildpacks.extension.layers': JSON.stringify({
        [SAMPLE_EXTENSION_ID]: { [version]: { api: API, layerDiffID: layer.diffId } },
      }),
    },
  });
};

const descriptor = (version: string): string => `api = "${API}"

[extension]
id = "${SAMPLE_EXTENSION_ID}"
version = "${version}"
name = "Sample"
`;

const generateScript = `#!/bin/sh
set -eu
output="\${CNB_OUTPUT_DIR:-$1}"

extend() {
  echo 'USER root'
  echo "RUN echo \\"extended as user \\$(id -u)\\" > $1"
  if [ -e root-script ]; then echo 'RUN sh /workspace/root-script'; fi
  echo 'ARG user_id=1000'
  echo 'ARG group_id=1000'
  echo 'USER \${user_id}:\${group_id}'
}

from='\${base_image}'
if [ -e choose-run-image ]; then from="$(cat choose-run-image)"; fi
{
  if [ ! -e choose-run-image ]; then echo 'ARG base_image'; fi
  echo "FROM $from"
  if [ -e rebasable ]; then echo 'LABEL io.buildpacks.rebasable=true'; fi
  if [ ! -e as-it-is ]; then extend /etc/run-image; fi
} > "$output/run.Dockerfile"

if [ -e as-it-is ]; then exit 0; fi
{
  echo 'ARG base_image'
  echo 'FROM \${base_image}'
  extend /etc/build-image
} > "$output/build.Dockerfile"
`;
