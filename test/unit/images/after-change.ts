/** One change to an Image whose first Build ended, and what the next pass makes of it. */
import type { Build, BuildStatus } from '../../../lib/api/build.ts';
import type { BuilderStatus } from '../../../lib/api/builder.ts';
import type { ImageBuild } from '../../../lib/api/image.ts';
import type { ResolvedSourceConfig } from '../../../lib/api/source-config.ts';
import { digest, gitSource, goodStatus, imageWorld, revision } from '../../support/image-world.ts';

export interface Step {
  /** How the first Build ended. */
  readonly first?: BuildStatus;
  readonly from?: ResolvedSourceConfig;
  readonly had?: ImageBuild;
  /** What changed since. */
  readonly source?: ResolvedSourceConfig;
  readonly build?: ImageBuild;
  readonly offer?: Partial<BuilderStatus>;
  readonly annotate?: Readonly<Record<string, string>>;
}

export const additional = 'image.kpack.io/additionalBuildNeeded';

/** An Image whose first Build ended, something that changed, and the pass after it. */
export const afterChange = async ({
  first = goodStatus,
  from = gitSource,
  had,
  source,
  build,
  offer,
  annotate,
}: Step) => {
  const world = imageWorld({ spec: had === undefined ? {} : { build: had } });
  await world.firstBuild(first, from);
  world.want(build === undefined ? {} : { build });
  if (source !== undefined) world.resolve(source);
  if (offer !== undefined) world.offer(offer);
  if (annotate !== undefined) world.annotate(1, annotate);
  const end = await world.pass();
  const made = world.build(2);
  return { world, end, made, reason: made?.metadata.annotations?.['image.kpack.io/reason'], changes: changesOf(made) };
};

export interface Change {
  readonly reason: string;
  readonly old: unknown;
  readonly new: unknown;
}
export const changesOf = (build: Build | undefined): readonly Change[] =>
  JSON.parse(build?.metadata.annotations?.['image.kpack.io/buildChanges'] ?? '[]') as readonly Change[];

/** A newer builder image, with what else it offers. */
export const newer = (change: Partial<BuilderStatus> = {}): Partial<BuilderStatus> => ({
  latestImage: `registry.example/builder@${digest('9')}`,
  ...change,
});
export const git = (change: Partial<NonNullable<ResolvedSourceConfig['git']>>): ResolvedSourceConfig => ({
  git: { url: 'https://git.example/app', revision: revision('a'), type: 'Branch', ...change },
});
export const newRunImage = { stack: { id: 'stack', runImage: `registry.example/run@${digest('3')}` } } as const;
export const newLifecycle = { lifecycle: { version: '0.22.0' } } as Partial<BuilderStatus>;
export const newBuildpacks = { builderMetadata: [{ id: 'bp/node', version: '2.0' }] } as const;
