/** The pod that rebases, where the registry cannot be reached from the reconciler (spec 03 §8, DESIGN §3.13). */
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import type { Build } from '../../api/build.ts';
import { buildChangesAnnotation } from '../../api/labels.ts';
import { annotation, pullSecretNames, runImage } from './build-facts.ts';
import { completion } from './completion.ts';
import { stepContainer, variable } from './container.ts';
import type { PodContext } from './context.ts';
import { podOf } from './pod.ts';
import {
  cosignSecrets,
  credentialSecrets,
  distinctVolumes,
  imagePullSecrets,
  isRegistrySecret,
  withoutMounted,
} from './secrets.ts';
import { notary, notaryVolume, readOnly, report, reportVolume } from './volumes.ts';

/** Two steps, rebase and completion; no source, no cache, no lifecycle. */
export const rebasePod = (build: Build, context: PodContext): Pod => {
  const credentials = credentialSecrets(context.secrets, isRegistrySecret);
  const cosign = cosignSecrets(context.secrets);
  const pulls = withoutMounted(imagePullSecrets(pullSecretNames(build, context)), credentials);
  const rebase = stepContainer(build, {
    name: 'rebase',
    ...context.programs.rebase,
    args: [
      '--run-image',
      runImage(build, context),
      '--last-built-image',
      build.spec.lastBuild?.image ?? '',
      '--report',
      `${report.mountPath}/report.toml`,
      ...credentials.args,
      ...pulls.args,
      ...build.spec.tags,
    ],
    env: [variable('BUILD_CHANGES', annotation(build, buildChangesAnnotation))],
    workingDir: '/workspace',
    mounts: [...credentials.mounts, ...pulls.mounts, report],
  });
  return podOf(build, {
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    initContainers: [rebase],
    containers: [
      completion(build, context, {
        credentials,
        cosign,
        env: [],
        mounts: [readOnly(report), notary, ...credentials.mounts, ...cosign.mounts],
      }),
    ],
    volumes: distinctVolumes([
      ...credentials.volumes,
      ...cosign.volumes,
      ...pulls.volumes,
      reportVolume,
      notaryVolume(build),
    ]),
  });
};
