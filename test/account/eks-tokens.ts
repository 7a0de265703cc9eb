/**
 * What an EKS control plane does with a bearer token (AWS IAM Authenticator for Kubernetes): it is a presigned question to STS who somebody is; asked,
 * STS says which role signed it, and the cluster's access entries say who that is here. A token webhook of a real API server.
 */
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

/** Groups of Kubernetes by the name of the role; undefined of one that has no access entry. */
export type GroupsOf = (role: string) => readonly string[] | undefined;

/** A running webhook. */
export interface TokenWebhook {
  /** For the API server's `--authentication-token-webhook-config-file`. */
  readonly configFile: string;
  close(): Promise<void>;
}

interface TokenReview {
  readonly apiVersion: string;
  readonly spec: { readonly token: string };
}

/** The name of the role that a token speaks for, as STS at `account` says. @throws Error when it says nothing */
const roleOf = async (token: string, eksName: string, account: string): Promise<string> => {
  const presigned = new URL(Buffer.from(token.replace(/^k8s-aws-v1\./, ''), 'base64url').toString());
  const answer = await fetch(`${account}/${presigned.search}`, {
    headers: { 'x-k8s-aws-id': eksName, 'x-emulated-host': presigned.hostname },
    signal: AbortSignal.timeout(10_000),
  });
  const role = /<Arn>arn:aws:sts::\d+:assumed-role\/([^/<]+)\//.exec(await answer.text())?.[1];
  if (role === undefined) throw new Error(`STS names no role (HTTP ${answer.status})`);
  return role;
};

/** Starts one for the cluster `eksName`. Its file lies in `folder`. */
export const startTokenWebhook = async (
  eksName: string,
  account: string,
  groupsOf: GroupsOf,
  folder: string,
): Promise<TokenWebhook> => {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      void (async () => {
        const { apiVersion, spec } = JSON.parse(Buffer.concat(chunks).toString()) as TokenReview;
        const status = await roleOf(spec.token, eksName, account).then(
          (role) => {
            const groups = groupsOf(role);
            return groups === undefined
              ? { authenticated: false, error: `${role} has no access entry` }
              : { authenticated: true, user: { username: `role:${role}`, groups } };
          },
          (error: unknown) => ({ authenticated: false, error: String(error) }),
        );
        // In the version that was asked in.
        const review = { apiVersion, kind: 'TokenReview', status };
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(review));
      })();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const configFile = join(folder, `${eksName}-tokens.json`);
  writeFileSync(
    configFile,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'sts', cluster: { server: `http://127.0.0.1:${port}/` } }],
      users: [{ name: 'api-server', user: {} }],
      contexts: [{ name: 'sts', context: { cluster: 'sts', user: 'api-server' } }],
      'current-context': 'sts',
    }),
  );
  return {
    configFile,
    close: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
};
