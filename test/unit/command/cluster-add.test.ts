/** `kpackless cluster add`: who is let in where. */
import { afterEach, describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../lib/kube/object.ts';
import { Clusters } from '../../../lib/state/clusters.ts';
import { begin, endWorlds, image, withRelay } from '../../support/adding-cluster.ts';
import { describedEks, otherAccount } from '../../support/command-aws.ts';

afterEach(endWorlds);

describe('adding a cluster of the same account', () => {
  it('makes roles, access entry and the relay’s identity, applies what it needs, and registers it last', async () => {
    const { add, written, applied, registered, inputOf } = begin();
    const { code, out } = await add(...withRelay);
    expect(code).toBe(0);
    expect(written()).toEqual([
      'cluster CreateRole',
      'cluster CreateAccessEntry',
      'installation CreateRole',
      'installation PutRolePolicy',
      'cluster CreatePodIdentityAssociation',
    ]);
    expect(inputOf('CreateAccessEntry')).toMatchObject({
      clusterName: 'production',
      principalArn: 'arn:aws:iam::111111111111:role/kpackless-prod',
      kubernetesGroups: ['kpackless'],
    });
    expect(inputOf('CreatePodIdentityAssociation')).toMatchObject({
      namespace: 'kpack',
      serviceAccount: 'kpackless-relay',
      roleArn: 'arn:aws:iam::111111111111:role/kpackless-relay-prod',
    });
    expect(await registered()).toEqual({
      access: 'eks',
      eksName: 'production',
      region: 'eu-west-1',
      server: 'https://k.example',
      caData: 'Q0E=',
      roleArn: 'arn:aws:iam::111111111111:role/kpackless-prod',
      relayRoleId: 'AROAEXAMPLE000000001',
    });
    expect(applied.map(({ kind }) => kind).filter((kind) => kind === 'CustomResourceDefinition')).toHaveLength(10);
    const relay = applied.find(({ kind }) => kind === 'Deployment');
    expect(JSON.stringify(relay)).toContain(image);
    expect(JSON.stringify(relay)).toContain('https://sqs.eu-west-1.amazonaws.com/111111111111/kpackless-');
    expect(JSON.stringify(applied)).not.toContain('REPLACE-');
    expect(out).toContain('registered: prod');
  });

  it('lets only the functions of this installation become the cluster’s role', async () => {
    const { add, inputOf } = begin();
    await add(...withRelay);
    expect(JSON.parse(String(inputOf('CreateRole')['AssumeRolePolicyDocument']))).toMatchObject({
      Statement: [
        {
          Principal: { AWS: 'arn:aws:iam::111111111111:root' },
          Condition: { ArnLike: { 'aws:PrincipalArn': 'arn:aws:iam::111111111111:role/kpackless-prod-*' } },
        },
      ],
    });
  });

  it('again finds everything there, and keeps what was said before and not anew', async () => {
    const there = 'EntityAlreadyExistsException';
    const { world, add, written, registered } = begin({
      CreateRole: there,
      CreateAccessEntry: 'ResourceInUseException',
      ListPodIdentityAssociations: { associations: [{ associationId: 'a-1' }] },
    });
    const before = { access: 'in-cluster', rate: { perSecond: 5, burst: 5 } } as const;
    await new Clusters(world.table).register('prod', before);
    const grant = 'read 111111111111.dkr.ecr.eu-west-1.amazonaws.com namespaces=*';
    expect((await add(...withRelay, '--grant', grant)).code).toBe(0);
    expect(written()).toContain('cluster UpdateAccessEntry');
    expect(written()).toContain('installation UpdateAssumeRolePolicy');
    expect(written()).toContain('cluster UpdatePodIdentityAssociation');
    expect(await registered()).toMatchObject({
      relayRoleId: 'AROAEXAMPLE000000002',
      rate: { perSecond: 5, burst: 5 },
      grants: [{ access: 'read', namespaces: ['*'] }],
    });
  });

  it('with --irsa makes the issuer known and gives the relay’s ServiceAccount its role', async () => {
    const { add, written, applied, inputOf } = begin();
    await add(...withRelay, '--irsa');
    expect(written()).toContain('installation CreateOpenIDConnectProvider');
    expect(written()).not.toContain('cluster CreatePodIdentityAssociation');
    expect(String(inputOf('CreateRole', 1)['AssumeRolePolicyDocument'])).toContain(
      '"oidc.eks.eu-west-1.amazonaws.com/id/ABC:sub":"system:serviceaccount:kpack:kpackless-relay"',
    );
    const account = applied.find(
      ({ kind, metadata }) => kind === 'ServiceAccount' && metadata?.name === 'kpackless-relay',
    );
    expect(account?.metadata?.annotations).toEqual({
      'eks.amazonaws.com/role-arn': 'arn:aws:iam::111111111111:role/kpackless-relay-prod',
    });
  });

  it('of another stage and prefix is told of that, and every role is bounded where that is asked for', async () => {
    const { add, asked, applied } = begin();
    const boundary = 'arn:aws:iam::111111111111:policy/boundary';
    await add(...withRelay, '--prefix', 'kp', '--stage', 'test', '--permissions-boundary', boundary);
    const roles = asked.filter(({ operation }) => operation === 'CreateRole').map(({ input }) => input);
    expect(roles.map(({ RoleName, PermissionsBoundary }) => [RoleName, PermissionsBoundary])).toEqual([
      ['kp-prod', boundary],
      ['kp-relay-prod', boundary],
    ]);
    expect(JSON.stringify(asked)).toContain('role/kp-test-*');
    expect(JSON.stringify(asked)).toContain('table/kp-test');
    const relay = JSON.stringify(applied.find(({ kind }) => kind === 'Deployment'));
    expect(relay).toContain('{"name":"KPACKLESS_TABLE","value":"kp-test"}');
    expect(relay).toContain('/111111111111/kp-test-"');
  });

  it('binds Secrets and pods everywhere only when that is asked for', async () => {
    const bindings = (applied: readonly KubeObject[]) =>
      applied.filter(({ kind }) => kind === 'ClusterRoleBinding').map(({ metadata }) => metadata?.name);
    const narrow = begin();
    await narrow.add(...withRelay);
    expect(bindings(narrow.applied)).toEqual(['kpackless', 'kpackless-conversion', 'kpackless-relay']);
    const wide = begin();
    await wide.add(...withRelay, '--tenant-everywhere');
    expect(bindings(wide.applied)).toContain('kpackless-tenant');
  });

  it('has its relay convert v1alpha1, unless that is declined or there is none, which is said', async () => {
    const asking = (applied: readonly KubeObject[]) =>
      applied
        .filter(
          (object) =>
            (object as { spec?: { conversion?: { strategy?: string } } }).spec?.conversion?.strategy === 'Webhook',
        )
        .map(({ metadata }) => metadata?.name);
    const usual = begin();
    expect((await usual.add(...withRelay)).out).not.toContain('v1alpha1');
    expect(asking(usual.applied)).toEqual(['images.kpack.io', 'builds.kpack.io', 'builders.kpack.io']);
    for (const words of [
      [...withRelay, '--no-conversion'],
      ['--no-relay', '--relay-role-id', 'AROAEXAMPLE000000009'],
    ]) {
      const without = begin();
      expect((await without.add(...words)).out).toContain('v1alpha1 is not served');
      expect(asking(without.applied)).toEqual([]);
      expect(without.applied.map(({ metadata }) => metadata?.name)).not.toContain('kpackless-conversion');
    }
  });

  it('without a relay makes no role for one', async () => {
    const { add, written, registered } = begin();
    await add('--no-relay', '--relay-role-id', 'AROAEXAMPLE000000009');
    expect(written()).toEqual(['cluster CreateRole', 'cluster CreateAccessEntry']);
    expect(await registered()).toMatchObject({ relayRoleId: 'AROAEXAMPLE000000009' });
  });
});

describe('adding a cluster of another account', () => {
  const elsewhere = { DescribeCluster: describedEks({}, otherAccount) };

  it('makes the cluster’s role there, and the relay enters its own here by way of one there', async () => {
    const { add, asked, written } = begin({
      ...elsewhere,
      CreatePodIdentityAssociation: { association: { externalId: 'eu-west-1/222/production/x' } },
    });
    expect((await add(...withRelay)).code).toBe(0);
    expect(written()).toEqual([
      'installation SetRepositoryPolicy',
      'cluster CreateRole',
      'cluster CreateAccessEntry',
      'cluster CreateRole',
      'cluster PutRolePolicy',
      'installation CreateRole',
      'installation PutRolePolicy',
      'cluster CreatePodIdentityAssociation',
      'installation UpdateAssumeRolePolicy',
    ]);
    const said = (operation: string) => JSON.stringify(asked.filter((one) => one.operation === operation));
    expect(said('CreatePodIdentityAssociation')).toContain(
      '"roleArn":"arn:aws:iam::222222222222:role/kpackless-relay-hop-prod","targetRoleArn":"arn:aws:iam::111111111111:role/kpackless-relay-prod"',
    );
    expect(said('UpdateAssumeRolePolicy')).toContain('eu-west-1/222/production/x');
    expect(said('CreateAccessEntry')).toContain('arn:aws:iam::222222222222:role/kpackless-prod');
  });

  it('lets its nodes pull relay and steps, and leaves what else stands in the repositories’ policies', async () => {
    const other = { Sid: 'Other', Effect: 'Allow', Principal: '*', Action: 'ecr:BatchGetImage' };
    const { add, asked } = begin({
      ...elsewhere,
      GetRepositoryPolicy: { policyText: JSON.stringify({ Version: '2012-10-17', Statement: [other] }) },
    });
    const steps = `111111111111.dkr.ecr.eu-west-1.amazonaws.com/kpackless/steps@sha256:${'b'.repeat(64)}`;
    await add(...withRelay, '--step-image', steps);
    const set = asked.filter(({ operation }) => operation === 'SetRepositoryPolicy').map(({ input }) => input);
    expect(set.map(({ repositoryName }) => repositoryName)).toEqual(['kpackless/relay', 'kpackless/steps']);
    expect(JSON.parse(String(set[0]?.['policyText']))).toMatchObject({
      Statement: [other, { Principal: { AWS: 'arn:aws:iam::222222222222:root' } }],
    });
  });
});

describe('what AWS has just made', () => {
  it('is not known everywhere for seconds: a refusal that passes is waited out', async () => {
    let refusals = 2;
    const { add, asked } = begin({
      CreateAccessEntry: () => (refusals-- > 0 ? 'InvalidParameterException' : { accessEntry: {} }),
    });
    expect((await add(...withRelay)).code).toBe(0);
    expect(asked.filter(({ operation }) => operation === 'CreateAccessEntry')).toHaveLength(3);
  });

  it('that is refused for good is said, and the cluster is not registered', async () => {
    const { add, registered } = begin({ CreateAccessEntry: 'AccessDeniedException' });
    const { code, err } = await add(...withRelay);
    expect(code).toBe(1);
    expect(err).toContain('eks CreateAccessEntry: AccessDeniedException (HTTP 400)');
    expect(await registered()).toBeUndefined();
  });
});

describe('adding with --print', () => {
  it('does nothing, and shows every command, the manifests, and how to go on', async () => {
    const { add, written, applied, registered } = begin();
    const { code, out } = await add(...withRelay, '--print');
    expect(code).toBe(0);
    expect([written(), applied, await registered()]).toEqual([[], [], undefined]);
    expect(out).toContain('aws iam create-role --region eu-west-1 --cli-input-json \'{"RoleName":"kpackless-prod"');
    expect(out).toContain('aws eks create-pod-identity-association --region eu-west-1');
    expect(out).toMatch(/^kind: Deployment$/m);
    expect(out).toContain(`npx kpackless cluster add prod --eks production --relay-image ${image}`);
  });

  it('shows them of a cluster that is refused as well', async () => {
    const { add } = begin({ DescribeAddon: 'ResourceNotFoundException' });
    expect((await add(...withRelay, '--print')).code).toBe(0);
  });
});

describe('adding any cluster', () => {
  it('by a kubeconfig in Secrets Manager registers its name and nothing secret', async () => {
    const { world, registered, applied } = begin();
    const args = ['cluster', 'add', 'prod', '--secret', 'kpackless/prod/cluster/prod', '--kubeconfig', '/mine'];
    expect((await world.run(...args)).code).toBe(0);
    expect(await registered()).toEqual({
      access: 'stored',
      store: 'secretsmanager',
      name: 'kpackless/prod/cluster/prod',
      region: 'eu-west-1',
      form: 'kubeconfig',
    });
    expect(applied.length).toBeGreaterThan(10);
  });

  it('by a token in Parameter Store registers where it is for', async () => {
    const { world, registered } = begin();
    const args = ['--parameter', '/kpackless/prod/cluster/prod', '--server', 'https://k.example:6443'];
    expect((await world.run('cluster', 'add', 'prod', ...args)).code).toBe(0);
    expect(await registered()).toMatchObject({
      store: 'ssm',
      form: 'token',
      server: 'https://k.example:6443',
      caData: '',
    });
  });
});
