import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { getEcrToken } from '../../../lib/oci/ecr-token.ts';

const variables = {
  AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'secret',
  AWS_ENDPOINT_URL_ECR: '',
};
const before = Object.keys(variables).map((name) => [name, process.env[name]] as const);
afterEach(() => {
  for (const [name, value] of before) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
});

describe('GetAuthorizationToken', () => {
  it('is asked in the registry’s region and read', async () => {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(
        `${String(request.headers['x-amz-target'])} ${/\/(\w+-\w+-\d)\/ecr\//.exec(request.headers.authorization ?? '')?.[1]}`,
      );
      const authorizationToken = Buffer.from('AWS:password').toString('base64');
      response
        .writeHead(200, { 'content-type': 'application/x-amz-json-1.1' })
        .end(JSON.stringify({ authorizationData: [{ authorizationToken, expiresAt: 1_900_000_000 }] }));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    Object.assign(process.env, variables, {
      AWS_ENDPOINT_URL_ECR: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    });
    try {
      const token = await getEcrToken({ account: '123456789012', region: 'eu-west-3', fips: false });
      expect(token).toEqual({ username: 'AWS', password: 'password', expiresAtMs: 1_900_000_000_000 });
      expect(asked).toEqual(['AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken eu-west-3']);
    } finally {
      server.close();
      server.closeAllConnections();
    }
  });
});
