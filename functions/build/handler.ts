/** Wakes Builds. */
import { buildReconciler } from '../../lib/builds/reconcile.ts';
import { registryImages } from '../../lib/builds/registry-images.ts';
import { reconcileHandler } from '../reconcile-handler.ts';
import { registryPorts } from '../registry-ports.ts';

export const handler = reconcileHandler(({ settings }) => {
  const program = (name: string) => ({ image: settings.KPACKLESS_STEP_IMAGE, command: [`/cnb/process/${name}`] });
  const maximum = settings.KPACKLESS_MAXIMUM_PLATFORM_API;
  return buildReconciler({
    images: registryImages(registryPorts(settings).registryFor),
    programs: {
      prepare: program('build-init'),
      completion: program('completion'),
      rebase: program('rebase'),
      waiter: program('build-waiter'),
    },
    settings: {
      trustUnknownSshHosts: settings.KPACKLESS_TRUST_UNKNOWN_SSH_HOSTS,
      injectedSidecars: settings.KPACKLESS_INJECTED_SIDECAR_SUPPORT,
      ...(maximum === '' ? {} : { maximumPlatformApi: maximum }),
    },
  });
});
