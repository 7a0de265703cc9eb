/** The parts of a builder in a fake registry, each an index over two platforms. */
import { lifecycleLabels, storeBuildpackage, storeDockerImage, storeIndex } from './buildpack-images.ts';
import type { FakeRegistry } from './fake-registry.ts';

export const architectures = ['amd64', 'arm64'] as const;

/** Build image, run image and lifecycle of stack `s`, and a buildpackage with `a@1`. */
export const platformParts = ['s/build:1', 's/run:1', 'lifecycle:1', 'bp/a:1'] as const;
export type PlatformPart = (typeof platformParts)[number];

/** Stores the part for one architecture under a tag of its own; its digest. Its one layer holds `PART ARCHITECTUREEDITION`. */
export const storePart = (registry: FakeRegistry, part: PlatformPart, architecture: string, edition = ''): string => {
  const [repository = ''] = part.split(':');
  const layer = `${part} ${architecture}${edition}`;
  const name = `${repository}:${architecture}`;
  if (part === 'bp/a:1') return storeBuildpackage(registry, name, 'a@1', layer, {}, architecture);
  return storeDockerImage(registry, name, {
    labels: part === 'lifecycle:1' ? lifecycleLabels : { 'io.buildpacks.stack.id': 's' },
    env: [`CNB_USER_ID=${architecture === 'arm64' ? 2000 : 1000}`, 'CNB_GROUP_ID=1000'],
    layers: [layer],
    architecture,
  });
};

/** Stores the part as an index over these architectures. */
export const storeParts = (
  registry: FakeRegistry,
  part: PlatformPart,
  which: readonly string[] = architectures,
  edition = '',
): void => {
  const digests = which.map(
    (architecture) => [architecture, storePart(registry, part, architecture, edition)] as const,
  );
  storeIndex(registry, part, Object.fromEntries(digests));
};
