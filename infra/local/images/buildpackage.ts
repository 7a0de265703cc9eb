import { type LocalImage, makeImage } from './image.ts';
import { executable, folder, makeLayer } from './layer.ts';

export const SAMPLE_BUILDPACK_ID = 'sample/hello';

export interface BuildpackageOptions {
  /** Repository and tag, as `sample/buildpack:1.0.0`. */
  readonly name: string;
  readonly id?: string;
  readonly version: string;
}

const API = '0.10';
const HOMEPAGE = 'https://kpackless.dev/sample';
const STACKS = [{ id: '*' }];

/**
 * A buildpack in sh that goes through everything a lifecycle does: it detects, makes a launch layer and a cached one that a rebuild reuses, and
 * declares a process that serves the source over http. Files in the source make it do otherwise: with `fail-detect` it declines, with
 * `fail-build` it fails, with `slow-build` it sleeps for the seconds that holds, `build-script` is run with the platform folder as argument,
 * and with `show-images` the app serves `images`: what was added to its build image, its run image's release, what was added to that.
 */
export const sampleBuildpackage = async (options: BuildpackageOptions): Promise<LocalImage> => {
  const { name, id = SAMPLE_BUILDPACK_ID, version } = options;
  const dir = `cnb/buildpacks/${id.replaceAll('/', '_')}`;
  const root = `${dir}/${version}`;
  const layer = await makeLayer([
    folder('cnb'),
    folder('cnb/buildpacks'),
    folder(dir),
    folder(root),
    folder(`${root}/bin`),
    executable(`${root}/bin/build`, buildScript(id, version)),
    executable(`${root}/bin/detect`, DETECT_SCRIPT),
    { path: `${root}/buildpack.toml`, content: descriptor(id, version) },
  ]);
  return makeImage(name, [layer], {
    labels: {
      'io.buildpacks.buildpackage.metadata': JSON.stringify({ id, version, homepage: HOMEPAGE, stacks: STACKS }),
      'io.buildpacks.buildpack.layers': JSON.stringify({
        [id]: { [version]: { api: API, stacks: STACKS, layerDiffID: layer.diffId, homepage: HOMEPAGE } },
      }),
    },
  });
};

const descriptor = (id: string, version: string): string => `api = "${API}"

[buildpack]
id = "${id}"
version = "${version}"
name = "Sample"
homepage = "${HOMEPAGE}"

[[stacks]]
id = "*"

[[targets]]
os = "linux"
`;

const DETECT_SCRIPT = `#!/bin/sh
set -eu
if [ -e fail-detect ]; then exit 100; fi
if [ -n "\${CNB_BUILD_PLAN_PATH:-}" ]; then plan="$CNB_BUILD_PLAN_PATH"; else plan="$2"; fi
printf '[[provides]]\\nname = "sample"\\n\\n[[requires]]\\nname = "sample"\\n' > "$plan"
`;

const buildScript = (id: string, version: string): string => `#!/bin/sh
set -eu
layers="\${CNB_LAYERS_DIR:-$1}"
platform="\${CNB_PLATFORM_DIR:-$2}"
echo "${id} ${version}"
if [ -e fail-build ]; then echo "fail-build is there: failing as asked"; exit 1; fi
if [ -e slow-build ]; then echo "slow-build is there: taking $(cat slow-build) seconds"; sleep "$(cat slow-build)"; fi
if [ -e show-images ]; then cp /etc/build-image . 2>/dev/null || echo "as it was" > build-image; fi
if [ -e build-script ]; then sh ./build-script "$platform"; fi

greeting="hello"
if [ -e "$platform/env/GREETING" ]; then greeting="$(cat "$platform/env/GREETING")"; fi

mkdir -p "$layers/cached"
if [ -e "$layers/cached/first-build" ]; then echo "reusing the cached layer"; else echo "filling the cached layer"; fi
echo "${version}" > "$layers/cached/first-build"
printf '[types]\\ncache = true\\n' > "$layers/cached.toml"

mkdir -p "$layers/greeting/env.launch"
echo "$greeting from ${version}" > "$layers/greeting/text"
printf '%s' "$greeting" > "$layers/greeting/env.launch/GREETING.default"
printf '[types]\\nlaunch = true\\n\\n[metadata]\\nversion = "${version}"\\n' > "$layers/greeting.toml"

cat > "$layers/launch.toml" <<'EOF'
[[labels]]
key = "dev.kpackless.sample"
value = "${version}"

[[processes]]
type = "web"
command = ["/bin/sh"]
args = ["-c", "cat /layers/*/greeting/text; if [ -e show-images ]; then cat build-image /etc/kpackless-release /etc/run-image > images; fi; exec httpd -f -p \${PORT:-8080} -h /workspace"]
default = true

[[processes]]
type = "greet"
command = ["/bin/cat"]
args = ["/layers/${id.replaceAll('/', '_')}/greeting/text"]
EOF
`;
