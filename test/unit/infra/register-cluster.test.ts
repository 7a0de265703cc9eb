import { describe, expect, it } from 'vitest';
import { registerOptions } from '../../../infra/register-cluster.ts';

const caData = Buffer.from('-----BEGIN CERTIFICATE-----').toString('base64');
const good = [
  'prod',
  '--eks',
  'production',
  '--region',
  'eu-west-1',
  '--server',
  'https://k.example',
  '--ca-data',
  caData,
];
const changed = (from: string, to: string): readonly string[] => good.map((word) => (word === from ? to : word));

describe('registering a cluster', () => {
  it('writes what aws eks describe-cluster says, under the name that messages carry', () => {
    expect(registerOptions(good)).toEqual({
      cluster: 'prod',
      table: 'kpackless',
      registration: { access: 'eks', eksName: 'production', region: 'eu-west-1', server: 'https://k.example', caData },
    });
  });

  it('keeps the roles that enter ECR of other accounts', () => {
    const roles = ['210987654321', '310987654321'].map((account) => `arn:aws:iam::${account}:role/ecr-kpackless-prod`);
    const { registration } = registerOptions([...good, ...roles.flatMap((role) => ['--ecr-role', role])]);
    expect(registration).toMatchObject({ ecrRoles: roles });
  });

  it('keeps whose messages count for the cluster', () => {
    expect(registerOptions([...good, '--relay-role-id', 'AROAEXAMPLE000000001']).registration).toMatchObject({
      relayRoleId: 'AROAEXAMPLE000000001',
    });
  });

  const ecrRole = ['--ecr-role', 'arn:aws:iam::210987654321:role/ecr-kpackless-a'];

  it.each([
    ['no name', good.slice(1), /give one name/],
    ['a name that no message may carry', changed('prod', 'a/b'), /no name for a cluster/],
    ['a missing option', good.slice(0, -2), /--ca-data are needed/],
    ['an address without TLS', changed('https://k.example', 'http://k.example'), /no https address/],
    ['a certificate that is none', changed(caData, 'bm8='), /no certificate/],
    ['a role that is none', [...good, '--role', 'kpackless-prod'], /no ARN of a role/],
    [
      'an ECR role that the functions may not become',
      [...good, '--ecr-role', 'arn:aws:iam::210987654321:role/admin'],
      /begins with ecr-kpackless-/,
    ],
    ['two ECR roles of one account', [...good, ...ecrRole, ...ecrRole], /one role per account/],
    ['an id that is no role’s', [...good, '--relay-role-id', 'AIDAEXAMPLE000000001'], /no unique id of a role/],
    ['an option that is none', [...good, '--nonsense'], /nonsense/],
  ])('refuses %s in one sentence', (_, args, why) => {
    expect(() => registerOptions(args)).toThrow(why);
  });
});
