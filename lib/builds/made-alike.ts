/**
 * Whether a pod is the one that would be made now, for the one case in which nothing else is known of it: the pass that made it died before its
 * record was written. What the API server and its built-in admission add is allowed for, where it cannot change what runs; whatever else differs
 * is told, also when an admission webhook did it (docs/decisions/0006-whose-pod.md). Pure.
 */
import type { Container, Pod, Volume, VolumeMount } from 'kubernetes-types/core/v1.d.ts';

/** Where and when the pod runs, not what; resources, which limits may have changed; and whether an image is pulled again. */
const ofNoAccount: ReadonlySet<string> = new Set([
  'nodeName',
  'nodeSelector',
  'affinity',
  'tolerations',
  'topologySpreadConstraints',
  'schedulerName',
  'priority',
  'priorityClassName',
  'preemptionPolicy',
  'activeDeadlineSeconds',
  'terminationGracePeriodSeconds',
  'overhead',
  'imagePullSecrets',
  'imagePullPolicy',
  'resources',
]);

/** What the API server fills in, by the key it is filled in at. */
const defaults: Readonly<Record<string, unknown>> = {
  apiVersion: 'v1',
  defaultMode: 420,
  dnsPolicy: 'ClusterFirst',
  enableServiceLinks: true,
  procMount: 'Default',
  terminationMessagePath: '/dev/termination-log',
  terminationMessagePolicy: 'File',
};

/** Variables that the identity webhooks of EKS add. */
const identityVariables: ReadonlySet<string> = new Set([
  'AWS_ROLE_ARN',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
  'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE',
  'AWS_REGION',
  'AWS_DEFAULT_REGION',
  'AWS_STS_REGIONAL_ENDPOINTS',
]);

/** The one place where tokens are mounted. */
const tokensPath = /^\/var\/run\/secrets(?:\/[a-z][a-z.-]*)+$/u;
const tokenSources: ReadonlySet<string> = new Set(['serviceAccountToken', 'configMap', 'downwardAPI']);

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What the API server leaves out when it stores an object. */
const isNothing = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === '' ||
  (typeof value === 'object' && Object.values(value).every(isNothing));

/** Where `found` differs from `wanted`; undefined when it only has defaults more. */
const difference = (wanted: unknown, found: unknown, path: string): string | undefined => {
  if (isNothing(wanted) && isNothing(found)) return undefined;
  if (Array.isArray(wanted) && Array.isArray(found)) {
    if (wanted.length !== found.length) return path;
    return firstOf(wanted, (item, index) => difference(item, found[index], `${path}[${index}]`));
  }
  if (isObject(wanted) && isObject(found)) {
    const keys = [...new Set([...Object.keys(wanted), ...Object.keys(found)])].filter((key) => !ofNoAccount.has(key));
    return firstOf(keys, (key) =>
      wanted[key] === undefined && found[key] === defaults[key]
        ? undefined
        : difference(wanted[key], found[key], `${path}.${key}`),
    );
  }
  return wanted === found ? undefined : path;
};

const firstOf = <T>(items: readonly T[], judge: (item: T, index: number) => string | undefined): string | undefined => {
  for (const [index, item] of items.entries()) {
    const found = judge(item, index);
    if (found !== undefined) return found;
  }
  return undefined;
};

/** A volume of tokens, as the API server and identity webhooks add it to every pod. */
const holdsTokens = (volume: Volume): boolean =>
  Object.keys(volume).every((key) => key === 'name' || key === 'projected') &&
  (volume.projected?.sources ?? []).every((one) => Object.keys(one).every((key) => tokenSources.has(key)));

/** The container as we asked for it: without tokens mounted where tokens belong, and variables that say where. */
const withoutIdentity = (found: Container, wanted: Container, tokens: ReadonlySet<string>): Container => {
  const asked = new Set((wanted.env ?? []).map(({ name }) => name));
  const isToken = ({ name, mountPath, readOnly, subPath }: VolumeMount): boolean =>
    tokens.has(name) && tokensPath.test(mountPath) && readOnly === true && subPath === undefined;
  return {
    ...found,
    env: (found.env ?? []).filter(({ name }) => asked.has(name) || !identityVariables.has(name)),
    volumeMounts: (found.volumeMounts ?? []).filter((mount) => !isToken(mount)),
  };
};

/** What is allowed for beyond what admission adds everywhere. */
export interface Allowance {
  /** Containers that others inject, which have nothing in common with ours. */
  readonly sidecars: boolean;
}

/** Where the pod differs from the one that would be made, as a path in it; undefined when it may be the same. */
export const differenceFrom = (wanted: Pod, found: Pod, { sidecars }: Allowance): string | undefined => {
  const {
    initContainers: wantedInit = [],
    containers: wantedContainers,
    volumes: wantedVolumes = [],
    ...wantedRest
  } = wanted.spec ?? { containers: [] };
  const { initContainers = [], containers, volumes = [], serviceAccount, ...rest } = found.spec ?? { containers: [] };
  const ours = new Set(wantedVolumes.map(({ name }) => name));
  const kept = volumes.filter(({ name }) => ours.has(name));
  const added = volumes.filter(({ name }) => !ours.has(name));
  const tokens = new Set(added.filter(holdsTokens).map(({ name }) => name));

  const isApart = ({ volumeMounts = [], volumeDevices = [] }: Container): boolean =>
    [...volumeMounts, ...volumeDevices].every(({ name }) => !ours.has(name));
  const inList = (list: 'containers' | 'initContainers', asked: readonly Container[], all: readonly Container[]) => {
    const names = new Set(asked.map(({ name }) => name));
    const injected = all.filter(({ name }) => !names.has(name));
    const stranger = injected.find((container) => !sidecars || !isApart(container));
    if (stranger !== undefined) return `spec.${list}[${stranger.name}]`;
    const steps = all.filter(({ name }) => names.has(name));
    if (steps.length !== asked.length) return `spec.${list}`;
    return firstOf(asked, (one, index) => {
      const step = steps[index];
      return step === undefined
        ? `spec.${list}`
        : difference(one, withoutIdentity(step, one, tokens), `spec.${list}[${one.name}]`);
    });
  };

  const account = serviceAccount === undefined || serviceAccount === wantedRest.serviceAccountName;
  return (
    (account ? undefined : 'spec.serviceAccount') ??
    difference(wantedRest, rest, 'spec') ??
    difference(wantedVolumes, kept, 'spec.volumes') ??
    inList('initContainers', wantedInit, initContainers) ??
    inList('containers', wantedContainers, containers)
  );
};
