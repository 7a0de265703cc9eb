/** How Builds are attested: the installation's account, and what of its settings goes into provenance (spec 03 §19.2). */
import type { AttestPorts } from '../lib/builds/attest.ts';
import { creatorVersionOf } from './release.ts';
import type { Settings } from './settings.ts';

/** The ports. Parameters have kpack's names; our step programs are in one image. */
export const attestPorts = (
  { KPACKLESS_INJECTED_SIDECAR_SUPPORT: sidecars, ...settings }: Settings,
  registryFor: AttestPorts['registryFor'],
): AttestPorts => ({
  systemAccount: {
    namespace: settings.KPACKLESS_SYSTEM_NAMESPACE,
    name: settings.KPACKLESS_SYSTEM_SERVICE_ACCOUNT,
  },
  internalParameters: {
    systemNamespace: settings.KPACKLESS_SYSTEM_NAMESPACE,
    systemServiceAccount: settings.KPACKLESS_SYSTEM_SERVICE_ACCOUNT,
    enablePriorityClasses: settings.KPACKLESS_PRIORITY_CLASSES,
    maximumPlatformApiVersion: settings.KPACKLESS_MAXIMUM_PLATFORM_API,
    sshTrustUnknownHosts: settings.KPACKLESS_TRUST_UNKNOWN_SSH_HOSTS,
    buildInitImage: settings.KPACKLESS_STEP_IMAGE,
    buildWaiterImage: settings.KPACKLESS_STEP_IMAGE,
    completionImage: settings.KPACKLESS_STEP_IMAGE,
    rebaseImage: settings.KPACKLESS_STEP_IMAGE,
    injectedSidecarSupport: typeof sidecars === 'boolean' ? sidecars : sidecars.join(','),
    generateSlsaAttestation: settings.KPACKLESS_SLSA_ATTESTATION,
  },
  release: creatorVersionOf(settings.KPACKLESS_COMMIT),
  registryFor,
});
