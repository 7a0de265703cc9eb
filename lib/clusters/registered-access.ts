/** The way into a cluster as it is registered: what the registration names is read again, and so is the registration (DESIGN §3.34). */
import { ExpectedError } from '../errors/expected.ts';
import { networkCause } from '../errors/network-cause.ts';
import { type Access, type AccessSource, markOf } from '../kube/access.ts';
import { type AwsCredentials, eksToken } from '../kube/eks-token.ts';
import { inClusterAccess } from '../kube/in-cluster-access.ts';
import { tokenConfig } from '../kube/kubeconfig.ts';
import { kubeconfigAccess } from '../kube/kubeconfig-access.ts';
import { NotRegisteredError, type Registration } from '../state/clusters.ts';
import { assumedRole } from './assumed-role.ts';
import type { Registrations } from './registrations.ts';
import { storedAccess } from './stored-access.ts';

/** What it needs. */
export interface RegisteredPorts {
  readonly registrations: Registrations;
  /** Those of the function's role, asked for only by EKS clusters. */
  readonly credentials: () => Promise<AwsCredentials>;
  readonly clock: () => Date;
}

/** A role is assumed anew no more often because what it gave was refused. */
const newIdentityMilliseconds = 15_000;

type Eks = Extract<Registration, { readonly access: 'eks' }>;

/** Tokens are signed here, for an identity that the SDK or STS gives; one that was refused is replaced. */
const eksAccess = (
  { server, caData, eksName, region, roleArn }: Omit<Eks, 'grants' | 'relayRoleId'>,
  { credentials, clock }: Omit<RegisteredPorts, 'registrations'>,
): AccessSource => {
  let entered: { readonly access: Access; readonly at: number; readonly key: string } | undefined;

  const enter = (key: string): Access => {
    const at = clock().getTime();
    const identity = roleArn === undefined ? credentials : assumedRole({ roleArn, region, credentials, clock });
    const config = tokenConfig(server, caData, eksToken(eksName, region, identity, clock));
    entered = { access: { config, mark: markOf(key, at) }, at, key };
    return entered.access;
  };

  return {
    read: async ({ anew }) => {
      if (entered !== undefined && !anew) return entered.access;
      const { accessKeyId: key } = await credentials();
      if (entered === undefined || entered.key !== key) return enter(key);
      return clock().getTime() - entered.at < newIdentityMilliseconds ? entered.access : enter(key);
    },
  };
};

/** Where a cluster's way in comes from. */
export const registeredAccess = (cluster: string, ports: RegisteredPorts): AccessSource => {
  const { registrations, clock } = ports;
  let known: { readonly registered: string; readonly source: AccessSource } | undefined;

  const sourceOf = (registration: Registration): AccessSource => {
    switch (registration.access) {
      case 'kubeconfig':
        return kubeconfigAccess(registration.path, registration.context, { clock });
      case 'in-cluster':
        return inClusterAccess();
      case 'stored':
        return storedAccess(registration, registration, ports);
      case 'eks':
        return eksAccess(registration, ports);
    }
  };

  return {
    read: async ({ anew }) => {
      const registration = await (anew ? registrations.read : registrations.get)(cluster);
      if (registration === undefined) throw new NotRegisteredError(cluster);
      // What is granted in the cluster's name is no part of the way in.
      const { grants: _, relayRoleId: __, ...way } = registration;
      const registered = JSON.stringify(way);
      if (known?.registered !== registered) known = { registered, source: sourceOf(registration) };
      try {
        const { config, mark } = await known.source.read({ anew });
        return { config, mark: markOf(registered, mark) };
      } catch (cause) {
        throw new ExpectedError(`cluster ${cluster} cannot be connected to: ${networkCause(cause)}`, {
          pace: 'slow',
          cause,
        });
      }
    },
  };
};
