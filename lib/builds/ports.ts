/** What the Build reconciler needs beyond the API server. */
import type { ArchivePorts } from './archive/archive.ts';
import type { AttestPorts } from './attest.ts';
import type { CapPorts } from './cap.ts';
import type { Images } from './images-port.ts';
import type { PodSettings, StepPrograms } from './pod/context.ts';

/** What is built with: the same for every Build of an installation. */
export interface BuildPorts {
  readonly images: Images;
  readonly programs: StepPrograms;
  readonly settings: PodSettings;
  /** Absent: as many builds run at once as there are. */
  readonly cap?: CapPorts | undefined;
  /** Absent: nothing is attested. */
  readonly attest?: AttestPorts | undefined;
  /** Absent: logs are kept as long as the pod. */
  readonly archive?: ArchivePorts | undefined;
}
