/** A real API server with our definitions, in both versions, and policies, as an installation leaves them; the conversion runs in the test. */
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { objectsIn } from '../../infra/command/manifests.ts';
import { definitionOf } from '../../infra/crds/definition.ts';
import { waitUntil } from '../../infra/local/cluster/wait.ts';
import { crdName, type Kind, kindNames, kinds } from '../../lib/api/kinds.ts';
import { resourceOf } from '../../lib/kube/resources.ts';
import { type ApiServer, type ApiServerOptions, startApiServer } from './api-server.ts';
import { startConverter } from './converter.ts';
import type { Json } from './golden-objects.ts';

/** A wrong field and why. */
export interface Cause {
  readonly field?: string;
  readonly reason?: string;
  readonly message?: string;
}

/** What the API server answers to a write. */
export interface Answer {
  readonly status: number;
  /** Of a refusal: its text. */
  readonly message: string;
  /** Of a refusal: the fields that are wrong and why. */
  readonly causes: readonly Cause[];
  /** What kubectl prints as `Warning:`. */
  readonly warnings: readonly string[];
  readonly body: Json;
}

/** Who writes it and in which form; the administrator and JSON without. */
export interface HowWritten {
  readonly as?: string;
  readonly contentType?: string;
}

/** The API server, and ways to write to it that give back refusals in place of throwing. */
export interface KpackCluster {
  readonly server: ApiServer;
  write(method: string, path: string, body: object, how?: HowWritten): Promise<Answer>;
  stop(): Promise<void>;
}

/** The path of a collection. */
export const collectionOf = (kind: Kind, version = 'v1alpha2', namespace = 'default'): string =>
  `/apis/kpack.io/${version}${kinds[kind].scope === 'Namespaced' ? `/namespaces/${namespace}` : ''}/${kinds[kind].plural}`;

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const warningPattern = /^\d{3} \S+ "((?:[^"\\]|\\.)*)"/;

interface Status {
  readonly message?: string;
  readonly details?: { readonly causes?: Answer['causes'] };
}

/** A path that is not served is answered in plain text. */
const answerIn = (text: string): Json & Status =>
  text.startsWith('{') ? (JSON.parse(text) as Json & Status) : { message: text };

const writer =
  (server: ApiServer): KpackCluster['write'] =>
  (method, path, body, { as, contentType = 'application/json' } = {}) =>
    new Promise((resolve, reject) => {
      const { pki, url } = server;
      const sent = JSON.stringify(body);
      const call = request(
        `${url}${path}`,
        {
          method,
          ca: readFileSync(pki.ca.cert),
          cert: readFileSync(pki.admin.cert),
          key: readFileSync(pki.admin.key),
          headers: {
            accept: 'application/json',
            'content-type': contentType,
            'content-length': Buffer.byteLength(sent),
            ...(as === undefined ? {} : { 'impersonate-user': as, 'impersonate-group': 'system:masters' }),
          },
          signal: AbortSignal.timeout(20_000),
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.once('error', reject);
          response.once('end', () => {
            const answer = answerIn(Buffer.concat(chunks).toString('utf8'));
            const status = response.statusCode ?? 0;
            const warnings = [response.headers['warning'] ?? []].flat().flatMap((line) => {
              const found = warningPattern.exec(line)?.[1];
              return found === undefined ? [] : [found.replaceAll(/\\(.)/g, '$1')];
            });
            const refused = status > 299;
            resolve({
              status,
              message: refused ? (answer.message ?? '') : '',
              causes: refused ? (answer.details?.causes ?? []) : [],
              warnings,
              body: answer,
            });
          });
        },
      );
      call.once('error', reject);
      call.end(sent);
    });

/** An Image that everybody accepts, until it is changed. */
export const goodImage = (name: string, spec: Json = {}): Json => ({
  apiVersion: 'kpack.io/v1alpha2',
  kind: 'Image',
  metadata: { name },
  spec: {
    tag: 'registry.example/team/app',
    builder: { kind: 'ClusterBuilder', name: 'b' },
    source: { git: { url: 'https://git.example/app', revision: 'main' } },
    ...spec,
  },
});

const installPolicies = async (server: ApiServer, write: KpackCluster['write']): Promise<void> => {
  for (const object of objectsIn('admission.yaml')) {
    const { apiVersion, plural } = resourceOf(object.kind ?? '');
    await server.api.send('POST', `/apis/${apiVersion}/${plural}`, object);
  }
  // Policies take effect a moment after they were made, each by itself.
  const isObeyed = async (): Promise<boolean> => {
    const dryRun = `${collectionOf('Image')}?dryRun=All`;
    const refused = await write('POST', dryRun, goodImage('policy', { notary: {} }));
    const warned = await write('POST', dryRun, goodImage('policy', { imageTaggingStrategy: 'none' }));
    return refused.status === 422 && warned.warnings.length > 0;
  };
  await waitUntil(isObeyed, { what: 'the policies to be obeyed', timeout: 20_000 });
};

/** Starts it. */
export const startKpackCluster = async (options: ApiServerOptions = {}): Promise<KpackCluster> => {
  const conversion = await startConverter();
  const { converter } = conversion;
  const server = await startApiServer(options);
  const stop = async (): Promise<void> => {
    await server.stop();
    await conversion.stop();
  };
  try {
    for (const kind of kindNames) await server.api.send('POST', definitions, definitionOf(kind, { converter }));
    for (const kind of kindNames)
      await waitUntil(async () => (await server.api.send('GET', collectionOf(kind))) !== undefined, {
        what: `${crdName(kind)} being served`,
        timeout: 20_000,
      });
    const write = writer(server);
    await installPolicies(server, write);
    return { server, write, stop };
  } catch (error) {
    await stop();
    throw error;
  }
};
