/**
 * The pod of a Build. Pure: the same Build and context make the same pod. Reads as a table of contents; each step has a file.
 *
 *     prepare → analyze → detect → restore → build → export → completion        (spec 03 §7)
 *     prepare → extend-start → analyze → detect → restore → extend-gate → extend-run → extend-build → export → completion
 *     rebase → completion                                                       (spec 03 §8)
 */
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import type { Build } from '../../api/build.ts';
import { PermanentError } from '../../errors/expected.ts';
import { parseReference } from '../../oci/reference.ts';
import { startedAtOnce } from './at-once.ts';
import { mountedBindings } from './bindings.ts';
import { builderPullSecrets, firstTag, pullSecretNames } from './build-facts.ts';
import { completion } from './completion.ts';
import { variable } from './container.ts';
import type { PodContext } from './context.ts';
import { withEmptyDirLimit } from './empty-dirs.ts';
import { extensionVolumes } from './extensions.ts';
import { formOf, type PodForm } from './form.ts';
import { withIdentityOfSpeakers } from './identity.ts';
import { isRebase } from './is-rebase.ts';
import { lifecyclePhases } from './lifecycle.ts';
import { extensionPlatformApiFor, platformApiFor } from './platform-api.ts';
import { podOf } from './pod.ts';
import { withSharedResources } from './pod-resources.ts';
import { prepare } from './prepare.ts';
import { rebasePod } from './rebase-pod.ts';
import {
  cosignSecrets,
  credentialSecrets,
  distinctVolumes,
  imagePullSecrets,
  isBuildSecret,
  isRegistrySecret,
  withoutMounted,
} from './secrets.ts';
import { buildVolumes, home, notary, readOnly, report } from './volumes.ts';

/**
 * The pod that carries out the Build: a rebase pod when nothing but the stack moved, else the whole lifecycle; with all steps at once where
 * that is wanted or sidecars are injected. Throws PermanentError for a Build or builder image that cannot work (spec 03 §3).
 */
export const buildPod = (build: Build, context: PodContext): Pod => {
  const platformApi = apiFor(context);
  const isToRebase = isRebase(build, context.builder.stackId) && context.lastImageIsGone !== true;
  const pod = isToRebase ? rebasePod(build, context) : lifecyclePod(build, context, platformApi);
  const inForm = formed(pod, formOf(build, context, isToRebase), context);
  return withEmptyDirLimit(withIdentityOfSpeakers(inForm), context.settings.emptyDirLimit);
};

const formed = (pod: Pod, form: PodForm, { programs }: PodContext): Pod => {
  switch (form) {
    case 'sequential':
      return pod;
    case 'parallel':
      return withSharedResources(startedAtOnce(pod, programs.turn, { sidecars: false }));
    case 'beside sidecars':
      return startedAtOnce(pod, programs.turn, { sidecars: true });
  }
};

const apiFor = ({ builder, settings }: PodContext): string => {
  if (builder.hasExtensions !== true) return platformApiFor(builder.platformApis, settings.maximumPlatformApi);
  if (settings.refuseExtensions !== true)
    return extensionPlatformApiFor(builder.platformApis, settings.maximumPlatformApi);
  throw new PermanentError(
    'ExtensionsRefused',
    'the builder orders image extensions, whose steps run as root; this installation refuses them (KPACKLESS_EXTENSIONS=refuse)',
  );
};

const lifecyclePod = (build: Build, context: PodContext, platformApi: string): Pod => {
  parseReference(firstTag(build));
  const { uid, gid } = context.builder;
  const credentials = credentialSecrets(context.secrets, isBuildSecret(build.spec.source.blob?.auth));
  const registries = credentialSecrets(context.secrets, isRegistrySecret);
  const cosign = cosignSecrets(context.secrets);
  const pulls = withoutMounted(imagePullSecrets(pullSecretNames(build, context)), credentials);
  const bindings = mountedBindings(context.bindings);
  return podOf(build, {
    securityContext: {
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
      runAsUser: uid,
      runAsGroup: gid,
      fsGroup: gid,
    },
    ...podPullSecrets(build),
    initContainers: [
      prepare(build, context, credentials, pulls),
      ...lifecyclePhases({ build, context, platformApi, bindings: bindings.mounts }),
    ],
    containers: [
      completion(build, context, {
        credentials: registries,
        cosign,
        env: [variable('HOME', home.mountPath)],
        mounts: [...registries.mounts, ...cosign.mounts, readOnly(home), readOnly(report), notary],
      }),
    ],
    volumes: distinctVolumes([
      ...credentials.volumes,
      ...cosign.volumes,
      ...pulls.volumes,
      ...buildVolumes(build),
      ...(context.builder.hasExtensions === true ? extensionVolumes : []),
      ...bindings.volumes,
    ]),
  });
};

/** Only the builder's: Kubernetes adds the account's own when this is empty. */
const podPullSecrets = (build: Build): { readonly imagePullSecrets?: { name: string }[] } => {
  const names = builderPullSecrets(build);
  return names.length === 0 ? {} : { imagePullSecrets: names.map((name) => ({ name })) };
};
