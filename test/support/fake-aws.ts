/**
 * ECR as it is for whoever holds a token of anybody: everything in it may be read and written. What stops a tenant must therefore be that no token
 * is sent for it. Beside it an STS that gives roles to whom they trust, and the API that gives tokens; all of it on loopback.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { CloudCredentials } from '../../lib/buildpacks/opening.ts';
import { cloudCredentials } from '../../lib/clusters/cloud-credentials.ts';
import { ecrTokenAs, ownAwsIdentity } from '../../lib/oci/ecr-token.ts';
import { type FakeRegistry, startFakeRegistry } from './fake-registry.ts';

/** One request that reached ECR's registry. */
export interface EcrRequest {
  /** Key id of whose token it carried; `nobody` without. */
  readonly as: string;
  readonly method: string;
  /** Path with query. */
  readonly path: string;
}

/** The cloud of a test. */
export interface FakeAws {
  /** The registry's name, as image names have it. */
  readonly host: string;
  /** What is behind it. */
  readonly registry: FakeRegistry;
  readonly requests: EcrRequest[];
  /** Who asked STS and ECR for what, in order. */
  readonly asked: string[];
  /** Which ServiceAccount, `namespace/name`, each role trusts. Every other role trusts the function. */
  readonly trusts: Map<string, string>;
  /** Reaches all of it under the names it has on AWS, and nothing else. */
  readonly fetch: typeof globalThis.fetch;
  readonly cloud: CloudCredentials;
  readonly close: () => Promise<void>;
}

/** Key id of the function's own identity. */
export const functionKey = 'AKIDFUNCTION';
/** Key id of a session of the role. */
export const roleKey = (roleArn: string): string => `ASIA${Buffer.from(roleArn).toString('hex').slice(-24)}`;

const textOf = async (request: IncomingMessage): Promise<string> => {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
};
const signerOf = ({ headers }: IncomingMessage): string =>
  /Credential=(\w+)\//.exec(headers.authorization ?? '')?.[1] ?? 'nobody';

const serve = async (answer: (request: IncomingMessage, body: string) => { status?: number; body: string }) => {
  const reply = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { status = 200, body } = answer(request, await textOf(request));
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(body);
  };
  const server = createServer((request, response) => void reply(request, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
};

/** Starts it. While it runs the process has the function's identity in its environment, as in a Lambda. */
export const startFakeAws = async (host = '123456789012.dkr.ecr.eu-west-1.amazonaws.com'): Promise<FakeAws> => {
  const registry = await startFakeRegistry();
  const requests: EcrRequest[] = [];
  const asked: string[] = [];
  const trusts = new Map<string, string>();
  const credentials = (arn: string): string =>
    `<AccessKeyId>${roleKey(arn)}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>`;
  const refused = { status: 403, body: '<Error><Code>AccessDenied</Code></Error>' };
  const sts = await serve((request, body) => {
    const form = new URLSearchParams(body);
    const arn = form.get('RoleArn') ?? '';
    if (form.get('Action') === 'AssumeRoleWithWebIdentity') {
      // The fake cluster's tokens say whose they are.
      const [account = '', audience] = (form.get('WebIdentityToken') ?? '').split(' for ');
      asked.push(`STS ${account} ${arn}`);
      return trusts.get(arn) === account && audience === 'sts.amazonaws.com' ? { body: credentials(arn) } : refused;
    }
    asked.push(`STS ${signerOf(request)} ${arn}`);
    return trusts.has(arn) || signerOf(request) !== functionKey ? refused : { body: credentials(arn) };
  });
  const ecr = await serve((request) => {
    asked.push(`ECR ${signerOf(request)}`);
    const authorizationToken = Buffer.from(`AWS:token of ${signerOf(request)}`).toString('base64');
    return {
      body: JSON.stringify({ authorizationData: [{ authorizationToken, expiresAt: Date.now() / 1000 + 43_200 }] }),
    };
  });
  const variables: Readonly<Record<string, string>> = {
    AWS_ACCESS_KEY_ID: functionKey,
    AWS_SECRET_ACCESS_KEY: 'own',
    AWS_REGION: 'eu-west-1',
    AWS_ENDPOINT_URL_ECR: ecr.url,
  };
  const before = Object.keys(variables).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, variables);

  const send: typeof globalThis.fetch = async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    if (url.host.startsWith('sts.')) return fetch(`${sts.url}${url.pathname}`, init);
    // The name is one whatever its case and with the port of https said or not.
    if (url.protocol !== 'https:' || url.host !== host) throw new TypeError(`no such host: ${url.host}`);
    const header = new Headers(init?.headers).get('authorization') ?? '';
    const [, as = 'nobody'] = /^AWS:token of (\w+)$/.exec(Buffer.from(header.slice(6), 'base64').toString()) ?? [];
    requests.push({ as, method: init?.method ?? 'GET', path: `${url.pathname}${url.search}` });
    if (as === 'nobody')
      return new Response(null, { status: 401, headers: { 'www-authenticate': 'Basic realm="ECR"' } });
    return fetch(`http://${registry.host}${url.pathname}${url.search}`, init);
  };
  return {
    host,
    registry,
    requests,
    asked,
    trusts,
    fetch: send,
    cloud: cloudCredentials({ own: ownAwsIdentity, tokenAs: ecrTokenAs, fetch: send }),
    close: async () => {
      for (const [name, value] of before) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
      for (const { server } of [sts, ecr]) server.close().closeAllConnections();
      await registry.close();
    },
  };
};
