/** What the Build reconciler needs beyond the API server. */
import type { Build } from '../api/build.ts';
import type { ArchivePorts } from './archive/archive.ts';
import type { AttestPorts } from './attest.ts';
import type { CapPorts } from './cap.ts';
import type { Images } from './images-port.ts';
import type { PodSettings, StepPrograms } from './pod/context.ts';
import type { RetryPolicy } from './tries.ts';

/** What is built with: the same for every Build of an installation. */
export interface BuildPorts {
  readonly images: Images;
  readonly programs: StepPrograms;
  readonly settings: PodSettings;
  /** Namespaces whose pods live with injected sidecars, where those of the installation do not. */
  readonly sidecarNamespaces?: readonly string[] | undefined;
  /** How often a Build gets another pod; absent: as is usual (tries.ts). */
  readonly retries?: RetryPolicy | undefined;
  /** Absent: as many builds run at once as there are. */
  readonly cap?: CapPorts | undefined;
  /** Absent: nothing is attested. */
  readonly attest?: AttestPorts | undefined;
  /** Absent: logs are kept as long as the pod. */
  readonly archive?: ArchivePorts | undefined;
}

/** What is built with in the Build's namespace. */
export const podSettingsOf = (
  { metadata }: Build,
  { settings, sidecarNamespaces = [] }: Pick<BuildPorts, 'settings' | 'sidecarNamespaces'>,
): PodSettings =>
  sidecarNamespaces.includes(metadata.namespace ?? '') ? { ...settings, injectedSidecars: true } : settings;
