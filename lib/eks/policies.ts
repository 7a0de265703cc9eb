/** Who may become whom, and what a relay may do: the documents of IAM. test/unit/eks compares the relay's with infra/relay-role.yml. */
import { bulkRow, dependentsRow, kindTable } from '../reconcile/kind-table.ts';
import { relayKey } from '../state/keys.ts';

/** A policy document. */
export interface PolicyDocument {
  readonly Version: '2012-10-17';
  readonly Statement: readonly object[];
}

const document = (...Statement: readonly object[]): PolicyDocument => ({ Version: '2012-10-17', Statement });

/** Where the installation is. */
export interface InstallationPlace {
  readonly partition: string;
  readonly account: string;
  readonly region: string;
  readonly table: string;
  /** Before the names of all queues. */
  readonly queuePrefix: string;
  /** Before the names of the functions' roles: its stack. */
  readonly stack: string;
}

/** The role that the cluster knows: the functions of this installation may become it, and nobody else in their account. */
export const clusterRoleTrust = ({ partition, account, stack }: InstallationPlace): PolicyDocument =>
  document({
    Effect: 'Allow',
    Action: 'sts:AssumeRole',
    Principal: { AWS: `arn:${partition}:iam::${account}:root` },
    Condition: { ArnLike: { 'aws:PrincipalArn': `arn:${partition}:iam::${account}:role/${stack}-*` } },
  });

/** A ServiceAccount of an EKS cluster. */
export interface PodIdentity {
  readonly eksName: string;
  readonly namespace: string;
  readonly serviceAccount: string;
}

const tagsOf = ({ eksName, namespace, serviceAccount }: PodIdentity): object => ({
  'aws:RequestTag/eks-cluster-name': eksName,
  'aws:RequestTag/kubernetes-namespace': namespace,
  'aws:RequestTag/kubernetes-service-account': serviceAccount,
});

/** EKS Pod Identity says in tags of the session whose pod asks. */
export const podIdentityTrust = (pod: PodIdentity): PolicyDocument =>
  document({
    Effect: 'Allow',
    Action: ['sts:AssumeRole', 'sts:TagSession'],
    Principal: { Service: 'pods.eks.amazonaws.com' },
    Condition: { StringEquals: tagsOf(pod) },
  });

/** Of a role in another account than the cluster's: entered by the role of the association there, for this association alone. */
export const chainedTrust = (fromRoleArn: string, externalId: string | undefined): PolicyDocument =>
  document({
    Effect: 'Allow',
    Action: ['sts:AssumeRole', 'sts:TagSession'],
    Principal: { AWS: fromRoleArn },
    ...(externalId !== undefined && { Condition: { StringEquals: { 'sts:ExternalId': externalId } } }),
  });

/** What the role of the association may: become the other one. */
export const chainPolicy = (toRoleArn: string): PolicyDocument =>
  document({ Effect: 'Allow', Action: ['sts:AssumeRole', 'sts:TagSession'], Resource: toRoleArn });

/** IAM roles for service accounts: the cluster's issuer vouches for the ServiceAccount. */
export const irsaTrust = (
  { partition, account }: Pick<InstallationPlace, 'partition' | 'account'>,
  issuer: string,
  { namespace, serviceAccount }: PodIdentity,
): PolicyDocument =>
  document({
    Effect: 'Allow',
    Action: 'sts:AssumeRoleWithWebIdentity',
    Principal: { Federated: `arn:${partition}:iam::${account}:oidc-provider/${issuer}` },
    Condition: {
      StringEquals: {
        [`${issuer}:aud`]: 'sts.amazonaws.com',
        [`${issuer}:sub`]: `system:serviceaccount:${namespace}:${serviceAccount}`,
      },
    },
  });

/** Queues that a relay sends to: those of what it watches, and the two that its events pass through. */
export const relayQueues: readonly string[] = [
  ...kindTable.filter(({ watched }) => watched).map(({ name }) => name),
  dependentsRow.name,
  bulkRow.name,
];

/** What a relay may: send, and write its own place in the watches (DESIGN §3.26). */
export const relayPolicy = (
  { partition, account, region, table, queuePrefix }: InstallationPlace,
  cluster: string,
  kmsKey?: string,
): PolicyDocument =>
  document(
    {
      Effect: 'Allow',
      Action: 'sqs:SendMessage',
      Resource: relayQueues.map((name) => `arn:${partition}:sqs:${region}:${account}:${queuePrefix}${name}.fifo`),
    },
    {
      Effect: 'Allow',
      Action: ['dynamodb:GetItem', 'dynamodb:UpdateItem'],
      Resource: `arn:${partition}:dynamodb:${region}:${account}:table/${table}`,
      Condition: { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': [relayKey(cluster)] } },
    },
    ...(kmsKey === undefined
      ? []
      : [{ Effect: 'Allow', Action: ['kms:Decrypt', 'kms:GenerateDataKey'], Resource: kmsKey }]),
  );

const pullActions = ['ecr:BatchCheckLayerAvailability', 'ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'];

/** Its statements have this id, by which a later one for the same account is known. */
const pullSid = (account: string): string => `KpacklessPull${account}`;

/**
 * A repository's policy with leave for another account to pull; undefined when it has it already. What else stands in it stays.
 * @throws SyntaxError when the policy is no JSON
 */
export const withPullBy = (existing: string | undefined, partition: string, account: string): string | undefined => {
  const found =
    existing === undefined ? undefined : (JSON.parse(existing) as { Statement?: readonly { Sid?: string }[] });
  const statements = found?.Statement ?? [];
  if (statements.some(({ Sid }) => Sid === pullSid(account))) return undefined;
  const added = {
    Sid: pullSid(account),
    Effect: 'Allow',
    Principal: { AWS: `arn:${partition}:iam::${account}:root` },
    Action: pullActions,
  };
  return JSON.stringify({ Version: '2012-10-17', ...found, Statement: [...statements, added] });
};
