/** What AWS says of an EKS cluster, read once at the edge: DescribeCluster and what stands beside it. */
import * as v from 'valibot';
import { PermanentError } from '../errors/expected.ts';

const schema = v.object({
  cluster: v.object({
    name: v.string(),
    arn: v.string(),
    status: v.string(),
    version: v.optional(v.string(), ''),
    endpoint: v.optional(v.string(), ''),
    certificateAuthority: v.optional(v.object({ data: v.optional(v.string(), '') })),
    accessConfig: v.optional(v.object({ authenticationMode: v.optional(v.string(), 'CONFIG_MAP') })),
    resourcesVpcConfig: v.optional(
      v.object({
        endpointPublicAccess: v.optional(v.boolean(), true),
        endpointPrivateAccess: v.optional(v.boolean(), false),
        publicAccessCidrs: v.optional(v.array(v.string()), []),
        vpcId: v.optional(v.string(), ''),
      }),
    ),
    identity: v.optional(v.object({ oidc: v.optional(v.object({ issuer: v.optional(v.string(), '') })) })),
    computeConfig: v.optional(v.object({ enabled: v.optional(v.boolean(), false) })),
  }),
});

/** An EKS cluster. */
export interface DescribedCluster {
  readonly name: string;
  readonly arn: string;
  readonly account: string;
  readonly partition: string;
  readonly status: string;
  /** `1.33`. */
  readonly version: string;
  readonly endpoint: string;
  readonly caData: string;
  readonly authenticationMode: string;
  readonly isPublic: boolean;
  readonly isPrivate: boolean;
  readonly publicCidrs: readonly string[];
  readonly vpcId: string;
  /** Host and path of the OIDC issuer, without `https://`; empty when there is none. */
  readonly issuer: string;
  /** EKS Auto Mode: the agent of Pod Identity is part of its nodes. */
  readonly isAutoMode: boolean;
}

/** What surrounds it. */
export interface Surroundings {
  readonly hasPodIdentityAgent: boolean;
  /** A Fargate profile takes pods of the relay's namespace. */
  readonly fargateProfile: string | undefined;
}

/** Reads the answer of DescribeCluster. @throws PermanentError when it is none */
export const describedCluster = (answer: unknown): DescribedCluster => {
  const parsed = v.safeParse(schema, answer);
  if (!parsed.success) throw new PermanentError('Unreadable', 'what EKS says of the cluster cannot be read');
  const { cluster } = parsed.output;
  const [, partition = 'aws', , , account = ''] = cluster.arn.split(':');
  return {
    name: cluster.name,
    arn: cluster.arn,
    account,
    partition,
    status: cluster.status,
    version: cluster.version,
    endpoint: cluster.endpoint,
    caData: cluster.certificateAuthority?.data ?? '',
    // Clusters of before access entries say nothing of them.
    authenticationMode: cluster.accessConfig?.authenticationMode ?? 'CONFIG_MAP',
    isPublic: cluster.resourcesVpcConfig?.endpointPublicAccess ?? true,
    isPrivate: cluster.resourcesVpcConfig?.endpointPrivateAccess ?? false,
    publicCidrs: cluster.resourcesVpcConfig?.publicAccessCidrs ?? [],
    vpcId: cluster.resourcesVpcConfig?.vpcId ?? '',
    issuer: (cluster.identity?.oidc?.issuer ?? '').replace(/^https:\/\//, ''),
    isAutoMode: cluster.computeConfig?.enabled ?? false,
  };
};

const profileSchema = v.object({
  fargateProfile: v.object({
    fargateProfileName: v.string(),
    selectors: v.optional(v.array(v.object({ namespace: v.optional(v.string(), '') })), []),
  }),
});

/** Whether `namespace` is one that a selector means; `*` and `?` are wildcards (EKS, "Fargate profile components"). */
const isMeant = (selector: string, namespace: string): boolean => {
  const [head = '', ...rest] = selector.split('*');
  return rest.length === 0 ? selector === namespace : namespace.startsWith(head);
};

/** The name of a Fargate profile that takes pods of `namespace`; undefined when it does not. */
export const fargateTakes = (answer: unknown, namespace: string): string | undefined => {
  const parsed = v.safeParse(profileSchema, answer);
  if (!parsed.success) return undefined;
  const { fargateProfileName, selectors } = parsed.output.fargateProfile;
  return selectors.some((selector) => isMeant(selector.namespace, namespace)) ? fargateProfileName : undefined;
};
