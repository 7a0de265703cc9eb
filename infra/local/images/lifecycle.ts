import { readFileSync } from 'node:fs';

import { LIFECYCLE_VERSION } from '../cluster/programs.ts';
import { type LocalImage, makeImage } from './image.ts';
import { executable, folder, makeLayer } from './layer.ts';

/** Versions that the compiled lifecycle understands, as its own sources list them. */
const APIS = {
  buildpack: { deprecated: [], supported: ['0.7', '0.8', '0.9', '0.10', '0.11', '0.12'] },
  platform: { deprecated: [], supported: ['0.7', '0.8', '0.9', '0.10', '0.11', '0.12', '0.13', '0.14', '0.15'] },
};

/** One program does all phases, by the name it is called by. */
const PHASES = ['analyzer', 'builder', 'creator', 'detector', 'exporter', 'extender', 'rebaser', 'restorer'];

export interface LifecycleImageOptions {
  readonly name: string;
  /** Paths of the compiled programs. */
  readonly binaries: { readonly lifecycle: string; readonly launcher: string };
}

/** The lifecycle as builders take it in: its last layer holds `/cnb/lifecycle`, its labels say version and APIs (spec 04 §5, §6.3, §8.1). */
export const lifecycleImage = async ({ name, binaries }: LifecycleImageOptions): Promise<LocalImage> => {
  const layer = await makeLayer([
    folder('cnb'),
    { path: 'cnb/lifecycle.toml', content: descriptor },
    folder('cnb/lifecycle'),
    ...PHASES.map((phase) => ({ path: `cnb/lifecycle/${phase}`, link: 'lifecycle' })),
    executable('cnb/lifecycle/launcher', readFileSync(binaries.launcher)),
    executable('cnb/lifecycle/lifecycle', readFileSync(binaries.lifecycle)),
  ]);
  return makeImage(name, [layer], {
    labels: {
      'io.buildpacks.builder.metadata': JSON.stringify({
        lifecycle: { version: LIFECYCLE_VERSION },
        api: { buildpack: APIS.buildpack.supported[0], platform: APIS.platform.supported[0] },
      }),
      'io.buildpacks.lifecycle.apis': JSON.stringify(APIS),
      'io.buildpacks.lifecycle.version': LIFECYCLE_VERSION,
    },
    workingDir: '/',
  });
};

const list = (versions: readonly string[]): string => `[${versions.map((version) => `"${version}"`).join(', ')}]`;

const descriptor = `[api]
  platform = "${APIS.platform.supported[0] ?? ''}"
  buildpack = "${APIS.buildpack.supported[0] ?? ''}"

[apis]
  [apis.platform]
    deprecated = ${list(APIS.platform.deprecated)}
    supported = ${list(APIS.platform.supported)}
  [apis.buildpack]
    deprecated = ${list(APIS.buildpack.deprecated)}
    supported = ${list(APIS.buildpack.supported)}

[lifecycle]
  version = "${LIFECYCLE_VERSION}"
`;
