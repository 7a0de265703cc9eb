import type { ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { registerOptions, supportOf } from '../../../infra/register-cluster.ts';
import { selfSigned } from '../../support/self-signed.ts';

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
const ecr = '123456789012.dkr.ecr.eu-west-1.amazonaws.com';
const changed = (from: string, to: string): readonly string[] => good.map((word) => (word === from ? to : word));

describe('registering a cluster', () => {
  it('writes what aws eks describe-cluster says, under the name that messages carry', () => {
    expect(registerOptions(good)).toEqual({
      cluster: 'prod',
      table: 'kpackless-prod',
      registration: { access: 'eks', eksName: 'production', region: 'eu-west-1', server: 'https://k.example', caData },
    });
  });

  it('keeps what is granted, and grants nothing that is not written', () => {
    const roleArn = 'arn:aws:iam::210987654321:role/ecr-kpackless-prod';
    const { registration } = registerOptions([
      ...good,
      '--grant',
      `write ${ecr}/team-a namespaces=team-a,team-a-test role=${roleArn}`,
      '--grant',
      `read ${ecr} namespaces=* cluster-scoped`,
    ]);
    const namespaces = ['team-a', 'team-a-test'];
    expect(registration.grants).toEqual([
      { access: 'write', prefix: `${ecr}/team-a`, namespaces, clusterScoped: false, roleArn },
      { access: 'read', prefix: ecr, namespaces: ['*'], clusterScoped: true },
    ]);
  });

  it('keeps whose messages count for the cluster', () => {
    expect(registerOptions([...good, '--relay-role-id', 'AROAEXAMPLE000000001']).registration).toMatchObject({
      relayRoleId: 'AROAEXAMPLE000000001',
    });
  });

  it('keeps how fast each process may ask the cluster, a second’s worth at once unless more is said', () => {
    const rateOf = (...more: readonly string[]) => registerOptions([...good, ...more]).registration.rate;
    expect(rateOf('--requests-per-second', '50')).toStrictEqual({ perSecond: 50, burst: 50 });
    expect(rateOf('--requests-per-second', '50', '--burst', '200')).toStrictEqual({ perSecond: 50, burst: 200 });
    expect(rateOf()).toBeUndefined();
  });

  it.each([
    ['no requests a second', [...good, '--requests-per-second', '0'], /whole numbers from 1/],
    ['a fraction of a request', [...good, '--requests-per-second', '0.5'], /whole numbers from 1/],
    ['a burst that is none', [...good, '--requests-per-second', '5', '--burst', 'all'], /whole numbers from 1/],
    ['a burst of no rate', [...good, '--burst', '5'], /goes with --requests-per-second/],
    ['no name', good.slice(1), /give one name/],
    ['a name that no message may carry', changed('prod', 'a/b'), /no name for a cluster/],
    ['a missing option', good.slice(0, -2), /--ca-data are needed/],
    ['an address without TLS', changed('https://k.example', 'http://k.example'), /no https address/],
    ['a certificate that is none', changed(caData, 'bm8='), /no certificate/],
    ['a role that is none', [...good, '--role', 'kpackless-prod'], /no ARN of a role/],
    [
      'a grant by a role that the functions may not become',
      [...good, '--grant', `read ${ecr} namespaces=a role=arn:aws:iam::210987654321:role/admin`],
      /begins with ecr-kpackless-/,
    ],
    ['an id that is no role’s', [...good, '--relay-role-id', 'AIDAEXAMPLE000000001'], /no unique id of a role/],
    ['a grant of neither reading nor writing', [...good, '--grant', `${ecr} namespaces=a`], /read or write/],
    ['a grant to nobody', [...good, '--grant', `read ${ecr}`], /neither namespaces=… nor cluster-scoped/],
    ['a grant to what is no namespace', [...good, '--grant', `read ${ecr} namespaces=a/b`], /"a\/b" is no namespace/],
    [
      'a grant at a registry without identities',
      [...good, '--grant', 'read ghcr.io/a namespaces=a'],
      /registry of ECR/,
    ],
    ['a grant whose path climbs', [...good, '--grant', `read ${ecr}/a/../b namespaces=a`], /registry of ECR/],
    ['a grant with a word too many', [...good, '--grant', `read ${ecr} namespaces=a everywhere`], /everywhere is not/],
    ['a grant that says a thing twice', [...good, '--grant', `read ${ecr} namespaces=a namespaces=b`], /said twice/],
    ['an option that is none', [...good, '--nonsense'], /nonsense/],
  ])('refuses %s in one sentence', (_, args, why) => {
    expect(() => registerOptions(args)).toThrow(why);
  });
});

describe('the Kubernetes of a cluster that is registered', () => {
  const asked = async (answer: (response: ServerResponse) => void) => {
    const pair = await selfSigned();
    const server = createServer(pair, (_, response) => answer(response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const here = { server: `https://127.0.0.1:${port}`, caData: Buffer.from(pair.cert).toString('base64') };
    try {
      return await supportOf({ access: 'eks', eksName: 'one', region: 'eu-west-1', ...here });
    } finally {
      server.closeAllConnections();
      server.close();
    }
  };

  it('that is too old is a reason to refuse', async () => {
    const old = await asked((response) => response.end('{"major":"1","minor":"30+"}'));
    expect(old.isSupported).toBe(false);
    expect(JSON.stringify(old)).toContain('Kubernetes 1.30');
  });

  it('that is not told to anybody is none, and it is said', async () => {
    const silent = await asked((response) => response.writeHead(401).end('{"message":"Unauthorized"}'));
    expect(silent.isSupported).toBe(true);
    expect(JSON.stringify(silent)).toContain('is not known');
  });
});
