/** What every step's container has in common (spec 03 §4). */
import type {
  Container,
  EnvVar,
  ResourceRequirements,
  SecurityContext,
  VolumeMount,
} from 'kubernetes-types/core/v1.d.ts';
import type { Build } from '../../api/build.ts';
import type { ResourceAmounts } from '../../api/pod-fields.ts';
import { defined } from './defined.ts';

/** Enough for the Pod Security Standard `restricted`. */
const restricted: SecurityContext = {
  runAsNonRoot: true,
  allowPrivilegeEscalation: false,
  privileged: false,
  seccompProfile: { type: 'RuntimeDefault' },
  capabilities: { drop: ['ALL'] },
};

/** What distinguishes one step from another. */
export interface StepContainer {
  readonly name: string;
  readonly image: string;
  readonly command: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly EnvVar[];
  readonly mounts: readonly VolumeMount[];
  readonly workingDir?: string;
  /** Extra fields of the container, such as where it leaves its termination message. */
  readonly extra?: Partial<Container>;
}

const amounts = (map: ResourceAmounts | undefined): Record<string, string> | undefined =>
  map === undefined ? undefined : Object.fromEntries(Object.entries(map).map(([name, value]) => [name, String(value)]));

/** The Build's resources, unmodified for each step. */
const resourcesOf = ({ spec: { resources } }: Build): ResourceRequirements =>
  defined<ResourceRequirements>({
    limits: amounts(resources?.limits),
    requests: amounts(resources?.requests),
    claims: resources?.claims?.map(({ name, request }) => ({ name, ...(request === undefined ? {} : { request }) })),
  });

/** One container of the pod, with the Build's resources unmodified. */
export const stepContainer = (build: Build, step: StepContainer): Container =>
  defined<Container>({
    name: step.name,
    image: step.image,
    command: [...step.command],
    args: step.args === undefined || step.args.length === 0 ? undefined : [...step.args],
    env: step.env === undefined ? undefined : [...step.env],
    workingDir: step.workingDir,
    volumeMounts: [...step.mounts],
    resources: resourcesOf(build),
    securityContext: restricted,
    imagePullPolicy: 'IfNotPresent',
    ...step.extra,
  });

/** A variable; an empty value is sent too, so that the program can tell "empty" from "not mine". */
export const variable = (name: string, value: string | undefined): EnvVar => ({ name, value: value ?? '' });
