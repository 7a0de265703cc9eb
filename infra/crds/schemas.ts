/** Which schema describes which kind. Apart from the table of kinds, so that a function bundles only the kinds it handles. */
import type * as v from 'valibot';
import { BuildSchema } from '../../lib/api/build.ts';
import { BuilderSchema } from '../../lib/api/builder.ts';
import { BuildpackSchema } from '../../lib/api/buildpack.ts';
import { ClusterBuilderSchema } from '../../lib/api/cluster-builder.ts';
import { ClusterBuildpackSchema } from '../../lib/api/cluster-buildpack.ts';
import { ClusterLifecycleSchema } from '../../lib/api/cluster-lifecycle.ts';
import { ClusterStackSchema } from '../../lib/api/cluster-stack.ts';
import { ClusterStoreSchema } from '../../lib/api/cluster-store.ts';
import { ImageSchema } from '../../lib/api/image.ts';
import type { Kind } from '../../lib/api/kinds.ts';
import { SourceResolverSchema } from '../../lib/api/source-resolver.ts';
import { OlderBuildSchema } from '../../lib/api/v1alpha1/build.ts';
import { OlderBuilderSchema } from '../../lib/api/v1alpha1/builder.ts';
import { OlderImageSchema } from '../../lib/api/v1alpha1/image.ts';

/** The v1alpha2 schema of every kind. */
export const schemas: Readonly<Record<Kind, v.GenericSchema>> = {
  Image: ImageSchema,
  Build: BuildSchema,
  SourceResolver: SourceResolverSchema,
  Builder: BuilderSchema,
  ClusterBuilder: ClusterBuilderSchema,
  Buildpack: BuildpackSchema,
  ClusterBuildpack: ClusterBuildpackSchema,
  ClusterStore: ClusterStoreSchema,
  ClusterStack: ClusterStackSchema,
  ClusterLifecycle: ClusterLifecycleSchema,
};

/** The v1alpha1 schema of every kind that is another object there, so that somebody must convert it (spec 01 §10). */
export const convertedSchemas = {
  Image: OlderImageSchema,
  Build: OlderBuildSchema,
  Builder: OlderBuilderSchema,
} as const satisfies Partial<Readonly<Record<Kind, v.GenericSchema>>>;

/** Kinds whose JSON is the same in both versions: only `apiVersion` changes, which the API server does by itself (spec 01 §10.4, §10.5). */
export const sameInBothVersions: ReadonlySet<Kind> = new Set([
  'SourceResolver',
  'ClusterBuilder',
  'ClusterStack',
  'ClusterStore',
]);
