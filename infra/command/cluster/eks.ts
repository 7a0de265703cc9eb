/** What AWS says of an EKS cluster and its surroundings. Reads and nothing else. */
import * as v from 'valibot';
import {
  type DescribedCluster,
  describedCluster,
  fargateTakes,
  type Surroundings,
} from '../../../lib/eks/described.ts';
import { relayAccount, relayNamespace } from '../../../lib/eks/plan.ts';
import { withPullBy } from '../../../lib/eks/policies.ts';
import { ExpectedError, PermanentError } from '../../../lib/errors/expected.ts';
import { ecrRegistryOf } from '../../../lib/oci/ecr.ts';
import { parseReference } from '../../../lib/oci/reference.ts';
import { type Aws, AwsRefusal } from '../aws.ts';

/** A cluster has no more profiles than fit here. */
const mostProfiles = 100;

const listed = v.object({ fargateProfileNames: v.optional(v.array(v.string()), []) });
const associated = v.object({ associations: v.optional(v.array(v.object({ associationId: v.string() })), []) });
const providers = v.object({ OpenIDConnectProviderList: v.optional(v.array(v.object({ Arn: v.string() })), []) });
const policy = v.object({ policyText: v.string() });
const identity = v.object({ Account: v.string(), Arn: v.string() });

/** The answer, or `otherwise` when AWS says that there is no such thing. */
const orAbsent = async <T>(asking: Promise<T>, otherwise: T): Promise<T> => {
  try {
    return await asking;
  } catch (error) {
    const isAbsent = error instanceof AwsRefusal && (error.status === 404 || /NotFound|NoSuchEntity/.test(error.code));
    if (!isAbsent) throw error;
    return otherwise;
  }
};

/** Who is asked as, on one side. @throws ExpectedError */
export const identityOf = async (
  aws: Aws,
  side: 'installation' | 'cluster',
): Promise<{ readonly account: string; readonly arn: string; readonly partition: string }> => {
  const { Account: account, Arn: arn } = v.parse(
    identity,
    await aws.call(side, { service: 'sts', operation: 'GetCallerIdentity', input: {} }),
  );
  return { account, arn, partition: arn.split(':')[1] ?? 'aws' };
};

/** The cluster. @throws ExpectedError that says where it was looked for */
export const describe = async (aws: Aws, name: string): Promise<DescribedCluster> => {
  const answer = await orAbsent(
    aws.call('cluster', { service: 'eks', operation: 'DescribeCluster', input: { name } }),
    undefined,
  );
  if (answer !== undefined) return describedCluster(answer);
  const { account } = await identityOf(aws, 'cluster');
  throw new ExpectedError(
    `account ${account} has no EKS cluster ${name} in ${await aws.region('cluster')}: give --cluster-region and --cluster-profile where it is in another`,
  );
};

/** What stands around it, as far as the relay's identity depends on it. @throws ExpectedError */
export const surroundings = async (aws: Aws, clusterName: string): Promise<Surroundings> => {
  const eks = (operation: string, input: object): Promise<unknown> =>
    aws.call('cluster', { service: 'eks', operation, input: { clusterName, ...input } });
  const addon = await orAbsent(eks('DescribeAddon', { addonName: 'eks-pod-identity-agent' }), undefined);
  const { fargateProfileNames } = v.parse(listed, await eks('ListFargateProfiles', {}));
  let fargateProfile: string | undefined;
  for (const fargateProfileName of fargateProfileNames.slice(0, mostProfiles))
    fargateProfile ??= fargateTakes(await eks('DescribeFargateProfile', { fargateProfileName }), relayNamespace);
  return { hasPodIdentityAgent: addon !== undefined, fargateProfile };
};

/** The association that the relay's ServiceAccount has. @throws ExpectedError */
export const associationOf = async (aws: Aws, clusterName: string): Promise<string | undefined> => {
  const input = { clusterName, namespace: relayNamespace, serviceAccount: relayAccount };
  const answer = await aws.call('cluster', { service: 'eks', operation: 'ListPodIdentityAssociations', input });
  return v.parse(associated, answer).associations[0]?.associationId;
};

/** Whether the account of the installation knows the issuer. @throws ExpectedError */
export const knowsIssuer = async (aws: Aws, issuer: string): Promise<boolean> => {
  const answer = await aws.call('installation', { service: 'iam', operation: 'ListOpenIDConnectProviders', input: {} });
  return v
    .parse(providers, answer)
    .OpenIDConnectProviderList.some(({ Arn }) => Arn.endsWith(`:oidc-provider/${issuer}`));
};

/**
 * Repositories of the installation's account among `images`, whose policy has to be changed before nodes of the cluster's account may pull, each with
 * the new one. @throws ExpectedError
 */
export const pullPolicies = async (
  aws: Aws,
  images: readonly string[],
  { account, partition }: DescribedCluster,
): Promise<Readonly<Record<string, string>>> => {
  const changed: Record<string, string> = {};
  for (const image of new Set(images)) {
    const { registry, path: repositoryName } = parseReference(image);
    const [owner] = registry.split('.');
    if (ecrRegistryOf(registry) === undefined || owner === account) continue;
    const answer = await orAbsent(
      aws.call('installation', { service: 'ecr', operation: 'GetRepositoryPolicy', input: { repositoryName } }),
      undefined,
    );
    let next: string | undefined;
    try {
      next = withPullBy(answer === undefined ? undefined : v.parse(policy, answer).policyText, partition, account);
    } catch (cause) {
      throw new PermanentError('Unreadable', `the policy of repository ${repositoryName} cannot be read`, { cause });
    }
    if (next !== undefined) changed[repositoryName] = next;
  }
  return changed;
};
