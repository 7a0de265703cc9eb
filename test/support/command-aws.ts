/** AWS as the command asks it, answered from a table. What is asked is kept. It judges no input: the SDK's types and a real account do. */
import { type Aws, type AwsCall, AwsRefusal } from '../../infra/command/aws.ts';
import type { Side } from '../../lib/eks/step.ts';

/** A call that was made. */
export interface Asked extends AwsCall {
  readonly side: Side;
}

/** An answer, or the code of a refusal. */
export type Answers = Readonly<Record<string, object | string | ((call: Asked) => object | string)>>;

const isAsked = (found: Answers[string]): found is (call: Asked) => object | string => typeof found === 'function';

/** The accounts of both sides unless a test says others. */
export const installationAccount = '111111111111';
export const otherAccount = '222222222222';

/** A cluster of EKS as DescribeCluster answers it, without a fault. */
export const describedEks = (more: object = {}, account = installationAccount): object => ({
  cluster: {
    name: 'production',
    arn: `arn:aws:eks:eu-west-1:${account}:cluster/production`,
    status: 'ACTIVE',
    version: '1.33',
    endpoint: 'https://k.example',
    certificateAuthority: { data: 'Q0E=' },
    accessConfig: { authenticationMode: 'API' },
    resourcesVpcConfig: { endpointPublicAccess: true, publicAccessCidrs: ['0.0.0.0/0'], vpcId: 'vpc-1' },
    identity: { oidc: { issuer: 'https://oidc.eks.eu-west-1.amazonaws.com/id/ABC' } },
    ...more,
  },
});

const usual: Answers = {
  GetCallerIdentity: ({ side }: Asked) => ({
    Account: side === 'installation' ? installationAccount : otherAccount,
    Arn: `arn:aws:iam::${installationAccount}:user/me`,
  }),
  DescribeCluster: describedEks(),
  DescribeAddon: { addon: { status: 'ACTIVE' } },
  ListFargateProfiles: { fargateProfileNames: [] },
  ListPodIdentityAssociations: { associations: [] },
  ListOpenIDConnectProviders: { OpenIDConnectProviderList: [] },
  GetRepositoryPolicy: 'RepositoryPolicyNotFoundException',
  CreateRole: { Role: { RoleId: 'AROAEXAMPLE000000001' } },
  GetRole: { Role: { RoleId: 'AROAEXAMPLE000000002' } },
};

/** AWS that answers so; what is not in the table is answered with nothing. */
export const fakeAws = (answers: Answers = {}): { readonly aws: () => Aws; readonly asked: Asked[] } => {
  const asked: Asked[] = [];
  return {
    asked,
    aws: () => ({
      call: async (side, call) => {
        const whole = { ...call, side };
        asked.push(whole);
        const found = { ...usual, ...answers }[call.operation] ?? {};
        const answer = isAsked(found) ? found(whole) : found;
        if (typeof answer !== 'string') return answer;
        throw new AwsRefusal(
          call,
          Object.assign(new Error('no'), { name: answer, $metadata: { httpStatusCode: 400 } }),
        );
      },
      region: async () => 'eu-west-1',
      [Symbol.asyncDispose]: async () => undefined,
    }),
  };
};
