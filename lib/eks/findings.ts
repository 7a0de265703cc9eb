/** What stands in the way of an EKS cluster, each with the way out. Pure. */
import { oldestSupported, showVersion, supportedServer } from '../kube/server-version.ts';
import type { DescribedCluster, Surroundings } from './described.ts';

/** `refused`: it cannot be added so. `warned`: it can, and may not work. */
export interface Finding {
  readonly level: 'refused' | 'warned';
  readonly what: string;
  readonly wayOut: string;
}

/** How the relay comes to its AWS identity. */
export type RelayIdentity = 'pod-identity' | 'irsa';

const accessFinding = ({ name, authenticationMode }: DescribedCluster): readonly Finding[] =>
  authenticationMode === 'CONFIG_MAP'
    ? [
        {
          level: 'refused',
          what: `cluster ${name} takes identities from ConfigMap aws-auth alone (authentication mode CONFIG_MAP), and kpackless is let in by an access entry`,
          wayOut: `aws eks update-cluster-config --name ${name} --access-config authenticationMode=API_AND_CONFIG_MAP; what is in aws-auth goes on to hold, and there is no way back`,
        },
      ]
    : [];

const versionFinding = ({ name, version }: DescribedCluster): readonly Finding[] => {
  const [major, minor] = version.split('.').map(Number);
  if (major === undefined || minor === undefined || Number.isNaN(major + minor)) return [];
  const support = supportedServer({ major, minor });
  if (support.isSupported)
    return support.note === undefined
      ? []
      : [{ level: 'warned', what: support.note, wayOut: 'nothing need be done; tell us how it goes' }];
  return [
    {
      level: 'refused',
      what: `cluster ${name} is Kubernetes ${version}, and kpackless needs ${showVersion(oldestSupported)}`,
      wayOut: `aws eks update-cluster-version --name ${name} --kubernetes-version ${showVersion(oldestSupported)} (one release at a time)`,
    },
  ];
};

const isOpen = (cidrs: readonly string[]): boolean => cidrs.length === 0 || cidrs.includes('0.0.0.0/0');

const endpointFinding = ({ name, isPublic, publicCidrs, vpcId }: DescribedCluster): readonly Finding[] => {
  if (!isPublic)
    return [
      {
        level: 'warned',
        what: `the API of cluster ${name} has a private endpoint alone, which functions outside of ${vpcId || 'its VPC'} do not reach`,
        wayOut: `deploy the functions into ${vpcId || 'that VPC'}, or one that is routed to it, and let their security group into the cluster's on port 443 (docs/aws.md); kpackless cluster check then says whether they reach it`,
      },
    ];
  return isOpen(publicCidrs)
    ? []
    : [
        {
          level: 'warned',
          what: `the API of cluster ${name} takes only ${publicCidrs.join(', ')}`,
          wayOut: `functions in a VPC come from the address of its NAT gateway: add it with aws eks update-cluster-config --name ${name} --resources-vpc-config publicAccessCidrs=…; functions outside of a VPC have no fixed address`,
        },
      ];
};

const identityFindings = (
  { name, isAutoMode, issuer }: DescribedCluster,
  { hasPodIdentityAgent, fargateProfile }: Surroundings,
  identity: RelayIdentity,
): readonly Finding[] => {
  if (identity === 'irsa')
    return issuer === ''
      ? [
          {
            level: 'refused',
            what: `cluster ${name} has no OIDC issuer, so ServiceAccounts have no roles`,
            wayOut: 'leave out --irsa, and use EKS Pod Identity',
          },
        ]
      : [];
  if (fargateProfile !== undefined)
    return [
      {
        level: 'refused',
        what: `Fargate profile ${fargateProfile} of cluster ${name} takes the relay's pod, and EKS Pod Identity does not reach pods on Fargate`,
        wayOut: 'give --irsa: the relay then takes its role by its ServiceAccount',
      },
    ];
  return hasPodIdentityAgent || isAutoMode
    ? []
    : [
        {
          level: 'refused',
          what: `cluster ${name} has no EKS Pod Identity agent, from which the relay gets its role`,
          wayOut: `aws eks create-addon --cluster-name ${name} --addon-name eks-pod-identity-agent, or give --irsa`,
        },
      ];
};

/** All that is found, what refuses first. */
export const findings = (
  cluster: DescribedCluster,
  surroundings: Surroundings,
  identity: RelayIdentity | undefined,
): readonly Finding[] => {
  if (cluster.status !== 'ACTIVE')
    return [
      {
        level: 'refused',
        what: `cluster ${cluster.name} is ${cluster.status}`,
        wayOut: `wait until aws eks wait cluster-active --name ${cluster.name} ends`,
      },
    ];
  const all = [
    ...accessFinding(cluster),
    ...versionFinding(cluster),
    ...(identity === undefined ? [] : identityFindings(cluster, surroundings, identity)),
    ...endpointFinding(cluster),
  ];
  return all.toSorted((a, b) => (a.level === b.level ? 0 : a.level === 'refused' ? -1 : 1));
};
