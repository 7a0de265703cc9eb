/** The first step: fetch the source, write credentials, environment and project metadata (spec 03 §7, §10). */
import type { Container, EnvVar } from 'kubernetes-types/core/v1.d.ts';
import type { Build } from '../../api/build.ts';
import { buildChangesAnnotation, builderKindAnnotation, builderNameAnnotation } from '../../api/labels.ts';
import { parseReference } from '../../oci/reference.ts';
import { annotation, firstTag, runImage } from './build-facts.ts';
import { stepContainer, variable } from './container.ts';
import type { PodContext } from './context.ts';
import type { MountedSecrets } from './secrets.ts';
import { home, platform, projectMetadata, registrySourcePullSecrets, workspace } from './volumes.ts';

/** Git goes before blob, blob before registry, should several be set. */
const sourceVariables = ({ spec: { source } }: Build): readonly EnvVar[] => {
  if (source.git !== undefined)
    return [
      variable('GIT_URL', source.git.url),
      variable('GIT_REVISION', source.git.revision),
      variable('GIT_INITIALIZE_SUBMODULES', String(source.git.initializeSubmodules ?? false)),
    ];
  if (source.blob !== undefined)
    return [
      variable('BLOB_URL', source.blob.url),
      variable('BLOB_STRIP_COMPONENTS', String(source.blob.stripComponents ?? 0)),
      variable('BLOB_AUTH', String((source.blob.auth ?? '') !== '')),
    ];
  return source.registry === undefined ? [] : [variable('REGISTRY_IMAGE', source.registry.image)];
};

/** What the buildpacks shall see: written to /platform/env by the step. */
const platformVariables = (build: Build): readonly EnvVar[] =>
  (build.spec.env ?? []).map((entry) => ({ ...entry, name: `PLATFORM_ENV_${entry.name}` }));

const variables = (build: Build, context: PodContext): readonly EnvVar[] => [
  ...sourceVariables(build),
  ...platformVariables(build),
  variable('SOURCE_SUB_PATH', build.spec.source.subPath),
  variable('PROJECT_DESCRIPTOR_PATH', build.spec.projectDescriptorPath),
  variable('IMAGE_TAG', firstTag(build)),
  variable('RUN_IMAGE', runImage(build, context)),
  variable('BUILDER_IMAGE', build.spec.builder.image),
  variable('BUILDER_NAME', annotation(build, builderNameAnnotation)),
  variable('BUILDER_KIND', annotation(build, builderKindAnnotation)),
  // Unused since the network wait went; kept for programs that stand in for this step.
  variable('DNS_PROBE_HOSTNAME', parseReference(firstTag(build)).registry),
  variable('BUILD_CHANGES', annotation(build, buildChangesAnnotation)),
  variable('INSECURE_SSH_TRUST_UNKNOWN_HOSTS', String(context.settings.trustUnknownSshHosts)),
];

/** The container `prepare`, given the credentials of sources, registries and image pulls. */
export const prepare = (build: Build, context: PodContext, secrets: MountedSecrets, pulls: MountedSecrets): Container =>
  stepContainer(build, {
    name: 'prepare',
    ...context.programs.prepare,
    args: [...secrets.args, ...pulls.args],
    env: variables(build, context),
    workingDir: workspace.mountPath,
    mounts: [...secrets.mounts, ...pulls.mounts, registrySourcePullSecrets, platform, workspace, home, projectMetadata],
  });
