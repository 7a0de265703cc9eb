/**
 * Everything that is asked of AWS to let an EKS cluster in, in order; done again it changes nothing. Two accounts may be concerned: the relay's role is
 * in that of the installation, the role that the cluster knows in that of the cluster.
 */
import { createHash } from 'node:crypto';
import type { DescribedCluster } from './described.ts';
import type { RelayIdentity } from './findings.ts';
import {
  chainedTrust,
  chainPolicy,
  clusterRoleTrust,
  type InstallationPlace,
  irsaTrust,
  type PodIdentity,
  type PolicyDocument,
  podIdentityTrust,
  relayPolicy,
} from './policies.ts';
import type { AwsRequest, Side, Step } from './step.ts';

/** What is planned for. */
export interface PlanInput {
  /** The name that it is registered under. */
  readonly cluster: string;
  /** Before the names of its roles. */
  readonly prefix: string;
  /** ARN of a policy that bounds every role; none without. */
  readonly boundary: string | undefined;
  /** ARN of the installation's own key, which a relay then needs; none without. */
  readonly kmsKey: string | undefined;
  readonly described: DescribedCluster;
  readonly installation: InstallationPlace;
  /** Undefined: no relay in the cluster. */
  readonly relay: RelayIdentity | undefined;
  /** Of IRSA: the issuer is known in the account of the installation already. */
  readonly isIssuerKnown: boolean;
  /** A role that is there already, which the cluster is to know; one is made without. */
  readonly roleArn: string | undefined;
  /** Id of the association that the relay's ServiceAccount has already. */
  readonly associationId: string | undefined;
  /** New policies of repositories that another account's nodes pull from, by repository. */
  readonly pullPolicies: Readonly<Record<string, string>>;
}

/** Where relays run. */
export const relayNamespace = 'kpack';
export const relayAccount = 'kpackless-relay';
/** The group that infra/cluster/rbac.yaml binds. */
export const kubernetesGroup = 'kpackless';

/** Longest name of a role (IAM quotas). */
const mostRoleName = 64;

/** Name of a role of a cluster: two clusters never share one. */
const roleName = (prefix: string, cluster: string): string => {
  const name = `${prefix}${cluster}`;
  if (name.length <= mostRoleName) return name;
  const digest = createHash('sha256').update(cluster).digest('hex').slice(0, 8);
  return `${name.slice(0, mostRoleName - digest.length - 1)}-${digest}`;
};

/** Roles of a cluster, by name. The functions may become those that begin with the installation's prefix, in any account (infra/roles.yml). */
export const roleNames = (prefix: string, cluster: string) => ({
  cluster: roleName(`${prefix}-`, cluster),
  relay: roleName(`${prefix}-relay-`, cluster),
  /** In the cluster's account, where that is another: its pod enters it, and from there the relay's. */
  hop: roleName(`${prefix}-relay-hop-`, cluster),
});

const arnOf = (partition: string, account: string, name: string): string =>
  `arn:${partition}:iam::${account}:role/${name}`;

/** The role that the cluster knows. */
export const clusterRoleArn = ({ roleArn, described, cluster, prefix }: PlanInput): string =>
  roleArn ?? arnOf(described.partition, described.account, roleNames(prefix, cluster).cluster);

/** The role of its relay. */
export const relayRoleArn = ({ installation, cluster, prefix }: PlanInput): string =>
  arnOf(installation.partition, installation.account, roleNames(prefix, cluster).relay);

const iam = (operation: string, input: AwsRequest['input']): AwsRequest => ({ service: 'iam', operation, input });

interface RoleWanted {
  readonly side: Side;
  readonly name: string;
  readonly trust: PolicyDocument;
  readonly what: string;
  readonly cluster: string;
  readonly boundary: string | undefined;
  /** Name under which its unique id is said. */
  readonly idAs?: string;
}

/** Makes a role, or changes whom it trusts. */
const roleStep = ({ side, name, trust, what, cluster, boundary, idAs }: RoleWanted): Step => {
  const AssumeRolePolicyDocument = JSON.stringify(trust);
  return {
    side,
    what,
    ...iam('CreateRole', {
      RoleName: name,
      AssumeRolePolicyDocument,
      Description: `kpackless: ${what}`,
      Tags: [{ Key: 'kpackless-cluster', Value: cluster }],
      ...(boundary !== undefined && { PermissionsBoundary: boundary }),
    }),
    thereCodes: ['EntityAlreadyExists', 'EntityAlreadyExistsException'],
    ifThere: [
      iam('UpdateAssumeRolePolicy', { RoleName: name, PolicyDocument: AssumeRolePolicyDocument }),
      iam('GetRole', { RoleName: name }),
    ],
    ...(idAs !== undefined && { says: { [idAs]: ['Role', 'RoleId'] } }),
  };
};

const policyStep = (side: Side, RoleName: string, PolicyName: string, policy: PolicyDocument, what: string): Step => ({
  side,
  what,
  ...iam('PutRolePolicy', { RoleName, PolicyName, PolicyDocument: JSON.stringify(policy) }),
});

const accessSteps = (input: PlanInput): readonly Step[] => {
  const { cluster, described, installation, roleArn, prefix, boundary } = input;
  const principalArn = clusterRoleArn(input);
  const entry = { clusterName: described.name, principalArn, kubernetesGroups: [kubernetesGroup] };
  return [
    ...(roleArn === undefined
      ? [
          roleStep({
            side: 'cluster',
            name: roleNames(prefix, cluster).cluster,
            boundary,
            trust: clusterRoleTrust(installation),
            what: `the role that cluster ${cluster} knows`,
            cluster,
          }),
        ]
      : []),
    {
      side: 'cluster',
      what: `the cluster knows that role as group ${kubernetesGroup}`,
      service: 'eks',
      operation: 'CreateAccessEntry',
      input: { ...entry, type: 'STANDARD' },
      thereCodes: ['ResourceInUseException'],
      ifThere: [{ service: 'eks', operation: 'UpdateAccessEntry', input: entry }],
    },
  ];
};

const associationStep = (
  { described, associationId }: PlanInput,
  { namespace, serviceAccount }: PodIdentity,
  roleArn: string,
  targetRoleArn?: string,
): Step => {
  const roles = { roleArn, ...(targetRoleArn !== undefined && { targetRoleArn }) };
  const clusterName = described.name;
  return {
    side: 'cluster',
    what: 'the relay’s pod has that role',
    service: 'eks',
    ...(associationId === undefined
      ? { operation: 'CreatePodIdentityAssociation', input: { clusterName, namespace, serviceAccount, ...roles } }
      : { operation: 'UpdatePodIdentityAssociation', input: { clusterName, associationId, ...roles } }),
    ...(targetRoleArn !== undefined && { says: { externalId: ['association', 'externalId'] } }),
  };
};

const relaySteps = (input: PlanInput): readonly Step[] => {
  const { cluster, described, installation, relay, isIssuerKnown, prefix, boundary, kmsKey } = input;
  if (relay === undefined) return [];
  const names = roleNames(prefix, cluster);
  const pod = { eksName: described.name, namespace: relayNamespace, serviceAccount: relayAccount };
  const role = (trust: PolicyDocument): readonly Step[] => [
    roleStep({
      side: 'installation',
      name: names.relay,
      trust,
      what: `the role of the relay of cluster ${cluster}`,
      cluster,
      boundary,
      idAs: 'relayRoleId',
    }),
    policyStep(
      'installation',
      names.relay,
      'relay',
      relayPolicy(installation, cluster, kmsKey),
      'what the relay may: send, and keep its own place',
    ),
  ];
  if (relay === 'irsa')
    return [
      ...(isIssuerKnown
        ? []
        : [
            {
              side: 'installation',
              what: `the account knows the issuer of cluster ${cluster}`,
              ...iam('CreateOpenIDConnectProvider', {
                Url: `https://${described.issuer}`,
                ClientIDList: ['sts.amazonaws.com'],
              }),
              thereCodes: ['EntityAlreadyExists', 'EntityAlreadyExistsException'],
              ifThere: [],
            } satisfies Step,
          ]),
      ...role(irsaTrust(installation, described.issuer, pod)),
    ];
  if (described.account === installation.account)
    return [...role(podIdentityTrust(pod)), associationStep(input, pod, relayRoleArn(input))];
  const hopArn = arnOf(described.partition, described.account, names.hop);
  const target = relayRoleArn(input);
  return [
    roleStep({
      side: 'cluster',
      name: names.hop,
      trust: podIdentityTrust(pod),
      what: `the way of the relay of cluster ${cluster} into the other account`,
      cluster,
      boundary,
    }),
    policyStep('cluster', names.hop, 'hop', chainPolicy(target), 'where it leads'),
    ...role(chainedTrust(hopArn, undefined)),
    associationStep(input, pod, hopArn, target),
    {
      side: 'installation',
      what: 'only that association leads to the relay’s role',
      ...iam('UpdateAssumeRolePolicy', {
        RoleName: names.relay,
        PolicyDocument: JSON.stringify(chainedTrust(hopArn, '{{externalId}}')),
      }),
    },
  ];
};

/** The steps. */
export const planOf = (input: PlanInput): readonly Step[] => [
  ...Object.entries(input.pullPolicies).map(
    ([repositoryName, policyText]): Step => ({
      side: 'installation',
      what: `nodes of account ${input.described.account} may pull ${repositoryName}`,
      service: 'ecr',
      operation: 'SetRepositoryPolicy',
      input: { repositoryName, policyText },
    }),
  ),
  ...accessSteps(input),
  ...relaySteps(input),
];

/** What takes all of it back, but for pulling, which others may need. What is not there is passed over by who does it. */
export const undoPlan = (
  cluster: string,
  { prefix, eksName }: { readonly prefix: string; readonly eksName: string },
  { roleArn, associationId }: { readonly roleArn: string | undefined; readonly associationId: string | undefined },
): readonly Step[] => {
  const names = roleNames(prefix, cluster);
  const gone = ['NoSuchEntity', 'NoSuchEntityException', 'ResourceNotFoundException'];
  const step = (side: Side, what: string, request: AwsRequest): Step => ({
    side,
    what,
    ...request,
    thereCodes: gone,
    ifThere: [],
  });
  const deleteRole = (side: Side, RoleName: string, policy: string | undefined): readonly Step[] => [
    ...(policy === undefined
      ? []
      : [step(side, `what ${RoleName} may`, iam('DeleteRolePolicy', { RoleName, PolicyName: policy }))]),
    step(side, `role ${RoleName}`, iam('DeleteRole', { RoleName })),
  ];
  return [
    ...(associationId === undefined
      ? []
      : [
          step('cluster', 'the relay’s identity', {
            service: 'eks',
            operation: 'DeletePodIdentityAssociation',
            input: { clusterName: eksName, associationId },
          }),
        ]),
    ...(roleArn === undefined
      ? []
      : [
          step('cluster', 'the access entry', {
            service: 'eks',
            operation: 'DeleteAccessEntry',
            input: { clusterName: eksName, principalArn: roleArn },
          }),
        ]),
    ...deleteRole('installation', names.relay, 'relay'),
    ...deleteRole('cluster', names.hop, 'hop'),
    // One that was made by somebody else keeps its name.
    ...(roleArn?.endsWith(`/${names.cluster}`) === true ? deleteRole('cluster', names.cluster, undefined) : []),
  ];
};
