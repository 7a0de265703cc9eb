/** Wakes Builds. */
import { buildReconciler } from '../../lib/builds/reconcile.ts';
import { registryImages } from '../../lib/builds/registry-images.ts';
import { buildWaker } from '../../lib/builds/wake.ts';
import { Slots } from '../../lib/state/slots.ts';
import { announcePorts, eventBus } from '../announce-ports.ts';
import { archivePorts } from '../archive-ports.ts';
import { attestPorts } from '../attest-ports.ts';
import { reconcileHandler } from '../reconcile-handler.ts';
import { registryPorts } from '../registry-ports.ts';

export const handler = reconcileHandler(
  (ports) => {
    const { settings, aws, table, sender, kube, clock } = ports;
    const program = (name: string) => ({ image: settings.KPACKLESS_STEP_IMAGE, command: [`/cnb/process/${name}`] });
    const maximum = settings.KPACKLESS_MAXIMUM_PLATFORM_API;
    const { registryFor } = registryPorts(ports);
    const sidecars = settings.KPACKLESS_INJECTED_SIDECAR_SUPPORT;
    return buildReconciler({
      retries: { retries: settings.KPACKLESS_POD_RETRIES, firstSeconds: settings.KPACKLESS_POD_RETRY_SECONDS },
      sidecarNamespaces: typeof sidecars === 'boolean' ? [] : sidecars,
      cap: {
        slots: new Slots(table, clock),
        perInstallation: settings.KPACKLESS_MAX_BUILDS,
        perNamespace: settings.KPACKLESS_MAX_BUILDS_PER_NAMESPACE,
        kube,
        wake: buildWaker(sender),
      },
      attest: settings.KPACKLESS_SLSA_ATTESTATION ? attestPorts(settings, registryFor) : undefined,
      archive: archivePorts(settings, aws),
      images: registryImages(registryFor),
      programs: {
        prepare: program('build-init'),
        completion: program('completion'),
        rebase: program('rebase'),
        waiter: program('build-waiter'),
        turn: { image: settings.KPACKLESS_STEP_IMAGE, shell: '/usr/bin/busybox', script: '/cnb/process/turn' },
      },
      settings: {
        trustUnknownSshHosts: settings.KPACKLESS_TRUST_UNKNOWN_SSH_HOSTS,
        injectedSidecars: sidecars === true,
        buildSteps: settings.KPACKLESS_BUILD_STEPS,
        refuseExtensions: settings.KPACKLESS_EXTENSIONS === 'refuse',
        emptyDirLimit: settings.KPACKLESS_EMPTY_DIR_LIMIT,
        ...(maximum === '' ? {} : { maximumPlatformApi: maximum }),
      },
    });
  },
  (ports) => announcePorts(ports, eventBus(ports)),
);
