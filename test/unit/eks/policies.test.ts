/** Policies that the command makes are those that are written down in infra. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse, type ScalarTag } from 'yaml';
import { roleNames } from '../../../lib/eks/plan.ts';
import { podIdentityTrust, relayPolicy, withPullBy } from '../../../lib/eks/policies.ts';
import { asCommand, filledIn } from '../../../lib/eks/step.ts';

const place = {
  partition: 'aws',
  account: '111111111111',
  region: 'eu-west-1',
  table: 'kpackless',
  queuePrefix: 'kpackless-',
  stack: 'kpackless-prod',
};
const parameters: Readonly<Record<string, string>> = {
  Cluster: 'prod',
  EksName: 'production',
  Namespace: 'kpack',
  ServiceAccount: 'kpackless-relay',
  Table: 'kpackless',
  QueuePrefix: 'kpackless-',
  'AWS::Partition': 'aws',
  'AWS::Region': 'eu-west-1',
  'AWS::AccountId': '111111111111',
};
const tags: readonly ScalarTag[] = [
  { tag: '!Ref', resolve: (name: string) => parameters[name] ?? name },
  {
    tag: '!Sub',
    resolve: (text: string) => text.replaceAll(/\$\{([^}]+)\}/g, (_, name: string) => parameters[name] ?? name),
  },
  { tag: '!GetAtt', resolve: (name: string) => name },
];
const template = parse(readFileSync(new URL('../../../infra/relay-role.yml', import.meta.url), 'utf8'), {
  customTags: [...tags],
  // Conditions stay as they are written: what is compared has none.
  logLevel: 'error',
}) as {
  Resources: {
    RelayRole: { Properties: { AssumeRolePolicyDocument: unknown; Policies: { PolicyDocument: unknown }[] } };
  };
};

describe('the role of a relay that the command makes', () => {
  const { Properties } = template.Resources.RelayRole;

  it('may what infra/relay-role.yml lets it, and no more', () => {
    expect(relayPolicy(place, 'prod')).toEqual(Properties.Policies[0]?.PolicyDocument);
  });

  it('is entered by whom infra/relay-role.yml lets in, and by nobody else', () => {
    const pod = { eksName: 'production', namespace: 'kpack', serviceAccount: 'kpackless-relay' };
    expect(podIdentityTrust(pod)).toEqual(Properties.AssumeRolePolicyDocument);
  });
});

describe('the key of an installation', () => {
  it('may be used by its relay where there is one', () => {
    const policy = relayPolicy(place, 'prod', 'arn:aws:kms:eu-west-1:111111111111:key/1');
    expect(JSON.stringify(policy)).toContain('"Action":["kms:Decrypt","kms:GenerateDataKey"]');
    expect(JSON.stringify(relayPolicy(place, 'prod'))).not.toContain('kms:');
  });
});

describe('names of roles', () => {
  it('fit into IAM, whatever the cluster is called, and no two clusters share one', () => {
    const long = ['a'.repeat(100), `${'a'.repeat(99)}b`].flatMap((name) => Object.values(roleNames('kpackless', name)));
    expect(long.every((name) => name.length <= 64)).toBe(true);
    expect(new Set(long).size).toBe(6);
  });
});

describe('leave for another account to pull', () => {
  it('is given once', () => {
    const first = withPullBy(undefined, 'aws', '222222222222');
    expect(withPullBy(first, 'aws', '222222222222')).toBeUndefined();
    expect(withPullBy(first, 'aws', '333333333333')).toContain('222222222222');
  });
});

describe('a step', () => {
  it('is shown as a command that a shell reads as it is meant', () => {
    const request = {
      service: 'iam',
      operation: 'CreateOpenIDConnectProvider',
      input: { Url: "https://it's" },
    } as const;
    expect(asCommand(request, { region: 'eu-west-1', profile: 'my profile' })).toBe(
      `aws iam create-open-id-connect-provider --region eu-west-1 --profile 'my profile' --cli-input-json '{"Url":"https://it'\\''s"}'`,
    );
  });

  it('takes what an earlier one was answered', () => {
    expect(filledIn({ a: ['x {{id}}', 1], b: { c: '{{id}}' } }, { id: '7' })).toEqual({ a: ['x 7', 1], b: { c: '7' } });
  });
});
