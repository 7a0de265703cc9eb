/** ECR of other accounts through roles, against an STS, an ECR and registries on loopback that check who asks. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { accountRegistries } from '../../../lib/buildpacks/account-registry.ts';
import { noAccount } from '../../../lib/buildpacks/offers.ts';
import { clusterConnections } from '../../../lib/clusters/connect.ts';
import { ecrRoleKeychains } from '../../../lib/clusters/ecr-roles.ts';
import { ecrKeychain } from '../../../lib/oci/ecr.ts';
import { ecrTokenAs, ownAwsIdentity } from '../../../lib/oci/ecr-token.ts';
import { firstOf } from '../../../lib/oci/keychain.ts';
import { parseTag } from '../../../lib/oci/reference.ts';
import type { Registration } from '../../../lib/state/clusters.ts';
import { storeDockerImage } from '../../support/buildpack-images.ts';
import { fakeCluster } from '../../support/fake-cluster.ts';
import { type FakeRegistry, startFakeRegistry } from '../../support/fake-registry.ts';
import { selfSigned } from '../../support/self-signed.ts';

const theirs = '210987654321.dkr.ecr.eu-west-3.amazonaws.com';
const ours = '123456789012.dkr.ecr.eu-central-1.amazonaws.com';
const role = (account: string, name = 'ecr-kpackless-prod') => `arn:aws:iam::${account}:role/${name}`;

const textOf = async (request: IncomingMessage): Promise<string> => {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
};
/** The key id and the region that a request is signed for. */
const signer = ({ headers }: IncomingMessage): string => {
  const [, key, region] = /Credential=(\w+)\/\d+\/([\w-]+)\//.exec(headers.authorization ?? '') ?? [];
  return `${key} ${region}`;
};

describe('ECR of other accounts', () => {
  const asked: string[] = [];
  const servers: Server[] = [];
  const serve = async (answer: (request: IncomingMessage, body: string) => { status?: number; body: string }) => {
    const reply = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      const { status = 200, body } = answer(request, await textOf(request));
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(body);
    };
    const server = createServer((request, response) => void reply(request, response));
    servers.push(server.listen(0, '127.0.0.1'));
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };

  let registries: Readonly<Record<string, FakeRegistry>>;
  let toFakes: typeof fetch;
  const variables = {
    AWS_ACCESS_KEY_ID: 'AKIDOWN',
    AWS_SECRET_ACCESS_KEY: 'own',
    AWS_REGION: 'eu-central-1',
    AWS_ENDPOINT_URL_ECR: '',
  };
  const before = Object.keys(variables).map((name) => [name, process.env[name]] as const);

  beforeEach(async () => {
    asked.length = 0;
    const sts = await serve((request, body) => {
      const arn = new URLSearchParams(body).get('RoleArn') ?? '';
      asked.push(`STS ${signer(request)} ${arn}`);
      if (arn.endsWith('refused')) return { status: 403, body: '<Error><Code>AccessDenied</Code></Error>' };
      return {
        body: `<AccessKeyId>ASIA${arn.slice(13, 25)}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>`,
      };
    });
    const ecr = await serve((request) => {
      asked.push(`ECR ${signer(request)}`);
      const authorizationToken = Buffer.from(`AWS:token of ${signer(request)}`).toString('base64');
      const expiresAt = Date.now() / 1000 + 12 * 3600;
      return { body: JSON.stringify({ authorizationData: [{ authorizationToken, expiresAt }] }) };
    });
    Object.assign(process.env, variables, { AWS_ENDPOINT_URL_ECR: ecr });
    const only = (password: string) => startFakeRegistry({ auth: { kind: 'basic', users: { AWS: password } } });
    registries = {
      [theirs]: await only('token of ASIA210987654321 eu-west-3'),
      [ours]: await only('token of AKIDOWN eu-central-1'),
    };
    for (const registry of Object.values(registries)) storeDockerImage(registry, 'team/run:1');
    toFakes = (input, init) => {
      const url = new URL(input instanceof Request ? input.url : input);
      if (url.host.startsWith('sts.')) return fetch(`${sts}${url.pathname}`, init);
      const { host = 'nowhere.invalid' } = registries[url.host] ?? {};
      return fetch(`http://${host}${url.pathname}${url.search}`, init);
    };
  });
  afterEach(async () => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
    for (const server of servers.splice(0)) server.close().closeAllConnections();
    await Promise.all(Object.values(registries).map((registry) => registry.close()));
  });

  /** Heads images for a cluster with these roles, as the functions are wired. */
  const world = () => {
    const asRole = ecrRoleKeychains({ own: ownAwsIdentity, tokenAs: ecrTokenAs, fetch: toFakes });
    const own = ecrKeychain(ecrTokenAs());
    const open = accountRegistries({ retry: { attempts: 1 }, transport: { fetch: toFakes } }, ({ ecrRoles = [] }) =>
      firstOf(asRole(ecrRoles), own),
    );
    return async (host: string, ecrRoles: readonly string[]) => {
      const registry = await open({ ...fakeCluster().kube, ecrRoles }, noAccount);
      return registry.headManifest(parseTag(`${host}/team/run:1`));
    };
  };

  it('is entered as the role that the cluster’s registration names for the account, in the registry’s region', async () => {
    const head = world();
    const roles = [role('310987654321'), role('210987654321')];
    expect(await head(theirs, roles)).toBeDefined();
    expect(asked).toEqual([`STS AKIDOWN eu-west-3 ${role('210987654321')}`, 'ECR ASIA210987654321 eu-west-3']);
    expect(await head(theirs, roles)).toBeDefined();
    expect(asked).toHaveLength(2);
  });

  it('is entered with the function’s own identity for accounts without a role, the own one as well', async () => {
    expect(await world()(ours, [role('210987654321')])).toBeDefined();
    expect(asked).toEqual(['ECR AKIDOWN eu-central-1']);
  });

  it('is not entered as the role of another cluster', async () => {
    const head = world();
    await head(theirs, [role('210987654321')]);
    await expect(head(theirs, [])).rejects.toMatchObject({ code: 'unauthorized' });
    expect(asked.at(-1)).toBe('ECR AKIDOWN eu-west-3');
  });

  it('that refuses the role says so, with role and host, and nothing secret', async () => {
    const failure = world()(theirs, [role('210987654321', 'ecr-kpackless-refused')]);
    await expect(failure).rejects.toMatchObject({
      code: 'unauthorized',
      message: `no ECR token for ${theirs}: becoming ${role('210987654321', 'ecr-kpackless-refused')}: HTTP 403 AccessDenied; does the role exist and trust this function’s role?`,
    });
  });
});

describe('the client of a registered cluster', () => {
  it('knows the roles of its registration', async () => {
    const { cert } = await selfSigned();
    const registration: Registration = {
      access: 'eks',
      server: 'https://127.0.0.1:1',
      caData: Buffer.from(cert).toString('base64'),
      eksName: 'e',
      region: 'eu-west-1',
      ecrRoles: [role('210987654321')],
    };
    const connections = clusterConnections({
      registrations: { get: () => Promise.resolve(registration), read: () => Promise.resolve(registration) },
      credentials: () => Promise.reject(new Error('nobody is called')),
      clock: () => new Date(),
    });
    const { ecrRoles } = await connections.client('prod', AbortSignal.timeout(1000));
    expect(ecrRoles).toEqual([role('210987654321')]);
    (await connections.transport('prod')).close();
  });
});
