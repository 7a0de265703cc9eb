/** `kpackless cluster add`: what is refused or warned of, and with which way out. */
import { afterEach, describe, expect, it } from 'vitest';
import { begin, endWorlds, withRelay } from '../../support/adding-cluster.ts';
import { type Answers, describedEks } from '../../support/command-aws.ts';

afterEach(endWorlds);

describe('a cluster that cannot be added so', () => {
  it.each([
    [
      'takes identities from aws-auth alone',
      { DescribeCluster: describedEks({ accessConfig: { authenticationMode: 'CONFIG_MAP' } }) },
      /CONFIG_MAP.*Way out: aws eks update-cluster-config --name production --access-config/,
    ],
    ['is of before access entries', { DescribeCluster: describedEks({ accessConfig: undefined }) }, /CONFIG_MAP/],
    ['is too old', { DescribeCluster: describedEks({ version: '1.29' }) }, /Kubernetes 1\.29.*update-cluster-version/],
    ['is being made', { DescribeCluster: describedEks({ status: 'CREATING' }) }, /is CREATING.*wait cluster-active/],
    [
      'has no Pod Identity agent',
      { DescribeAddon: 'ResourceNotFoundException' },
      /no EKS Pod Identity agent.*create-addon .*eks-pod-identity-agent, or give --irsa/,
    ],
    [
      'runs the relay’s pod on Fargate',
      {
        ListFargateProfiles: { fargateProfileNames: ['all'] },
        DescribeFargateProfile: {
          fargateProfile: { fargateProfileName: 'all', selectors: [{ namespace: 'kp*' }] },
        },
      },
      /Fargate profile all.*give --irsa/,
    ],
  ] satisfies readonly (readonly [string, Answers, RegExp])[])(
    'because it %s is refused with the way out',
    async (_, answers, said) => {
      const { add, written, applied, registered } = begin(answers);
      const { code, err } = await add(...withRelay);
      expect(code).toBe(1);
      expect(err).toMatch(said);
      expect([written(), applied, await registered()]).toEqual([[], [], undefined]);
    },
  );

  it('for its agent or Fargate alone is added with --irsa', async () => {
    const { add } = begin({ DescribeAddon: 'ResourceNotFoundException' });
    expect((await add(...withRelay, '--irsa')).code).toBe(0);
  });

  it('for its agent alone is added when its nodes have one built in', async () => {
    const { add } = begin({
      DescribeAddon: 'ResourceNotFoundException',
      DescribeCluster: describedEks({ computeConfig: { enabled: true } }),
    });
    expect((await add(...withRelay)).code).toBe(0);
  });

  it('is one with kpack in it: nothing is made, and the migration is named', async () => {
    const controller = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'kpack-controller', namespace: 'kpack' },
    };
    const hook = {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: 'validation.webhook.kpack.io' },
    };
    const definition = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'images.kpack.io' },
    };
    const { add, written, applied, registered } = begin({}, controller, hook, definition);
    const { code, err } = await add(...withRelay);
    expect(code).toBe(1);
    expect(err).toContain(
      'cluster prod has kpack: Deployment kpack/kpack-controller, ValidatingWebhookConfiguration validation.webhook.kpack.io, CustomResourceDefinition images.kpack.io.',
    );
    expect(err).toContain('kpackless migrate run');
    expect([written(), applied, await registered()]).toEqual([[], [], undefined]);
  });

  it('is one that is not there, and it is said where it was looked for', async () => {
    const { add } = begin({ DescribeCluster: 'ResourceNotFoundException' });
    const { err } = await add(...withRelay);
    expect(err).toContain('account 222222222222 has no EKS cluster production in eu-west-1');
  });
});

describe('a cluster that may not be reached', () => {
  it.each([
    [
      'as its endpoint is private',
      { endpointPublicAccess: false, endpointPrivateAccess: true, vpcId: 'vpc-7' },
      /warned: .*private endpoint alone.*deploy the functions into vpc-7/,
    ],
    [
      'as its endpoint takes some addresses only',
      { endpointPublicAccess: true, publicAccessCidrs: ['203.0.113.0/24'] },
      /warned: .*takes only 203\.0\.113\.0\/24.*NAT gateway/,
    ],
  ])('%s is added with a warning', async (_, resourcesVpcConfig, said) => {
    const { add } = begin({ DescribeCluster: describedEks({ resourcesVpcConfig }) });
    const { code, err } = await add(...withRelay);
    expect(code).toBe(0);
    expect(err).toMatch(said);
  });
});

const ecr = '123456789012.dkr.ecr.eu-west-1.amazonaws.com';
describe('what is said wrongly', () => {
  it.each([
    ['no way in', ['prod'], /--eks NAME, or --secret or --parameter/],
    ['two ways in', ['prod', '--eks', 'e', '--secret', 'kpackless/prod/cluster/a'], /--eks NAME, or/],
    ['a name that no message may carry', ['a/b', '--eks', 'e'], /no name for a cluster/],
    ['no image of the relay', ['prod', '--eks', 'e'], /--relay-image.*or --no-relay/],
    ['a role that is none', ['prod', '--eks', 'e', '--no-relay', '--role', 'x'], /no ARN of a role/],
    ['a secret that functions may not read', ['prod', '--secret', 'mine'], /begins with kpackless\/prod\/cluster\//],
    [
      'an address without TLS',
      ['prod', '--secret', 'kpackless/prod/cluster/a', '--server', 'http://k'],
      /no https address/,
    ],
    [
      'a certificate that is none',
      ['prod', '--secret', 'kpackless/prod/cluster/a', '--server', 'https://k', '--ca-data', 'bm8='],
      /no certificate/,
    ],
    [
      'no requests a second',
      ['prod', '--eks', 'e', '--no-relay', '--requests-per-second', '0'],
      /whole numbers from 1/,
    ],
    ['a burst of no rate', ['prod', '--eks', 'e', '--no-relay', '--burst', '5'], /goes with --requests-per-second/],
    ['an id that is no role’s', ['prod', '--eks', 'e', '--no-relay', '--relay-role-id', 'AIDA1'], /no unique id/],
    ['a grant of neither reading nor writing', ['prod', '--eks', 'e', '--no-relay', '--grant', ecr], /read or write/],
    ['a grant to nobody', ['prod', '--eks', 'e', '--no-relay', '--grant', `read ${ecr}`], /neither namespaces=…/],
    [
      'a grant by a role that the functions may not become',
      [
        'prod',
        '--eks',
        'e',
        '--no-relay',
        '--grant',
        `read ${ecr} namespaces=a role=arn:aws:iam::210987654321:role/admin`,
      ],
      /begins with ecr-kpackless-/,
    ],
    ['standalone mode', ['prod', '--eks', 'e', '--database', 'x'], /registers its cluster by itself/],
    ['an option that is misspelt', ['prod', '--eks', 'e', '--relay-imgae', 'x'], /Did you mean --relay-image/],
  ])('%s ends with 2 and one sentence', async (_, args, said) => {
    const { world, written } = begin();
    const { code, err } = await world.run('cluster', 'add', ...args);
    expect(code).toBe(2);
    expect(err).toMatch(said);
    expect(written()).toEqual([]);
  });
});
