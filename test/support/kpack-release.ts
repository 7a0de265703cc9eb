/**
 * What kpack's release puts into a cluster, as far as others see it, written from spec 01 §1, §9 and spec 05 §2: definitions without a schema that
 * have a webhook convert, webhook configurations that fail closed, Deployments, permissions. The stand-in for kpack-webhook answers on loopback, where
 * the API server finds it through a Service of type ExternalName; it refuses notary in v1alpha2 to everybody but kpack's controller, as kpack does.
 */
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { CustomResourceDefinition } from 'kubernetes-types/apiextensions/v1.d.ts';
import { crdName, type Kind, kindNames, kinds } from '../../lib/api/kinds.ts';
import { convertReview } from '../../lib/conversion/review.ts';
import type { KubeObject } from '../../lib/kube/object.ts';
import { issueFor, makeAuthority } from '../../lib/tls/certificate.ts';

/** Kinds that have a webhook convert, and those that are two versions of one object (spec 01 §1). */
const converting: ReadonlySet<Kind> = new Set(['Image', 'Build', 'Builder', 'SourceResolver']);
const inBothVersions: ReadonlySet<Kind> = new Set([...converting, 'ClusterBuilder', 'ClusterStack', 'ClusterStore']);

/** A running stand-in for kpack-webhook. */
export interface KpackWebhook {
  readonly port: number;
  readonly caBundle: string;
  /** What it was asked for: paths. */
  readonly asked: string[];
  stop(): Promise<void>;
}

interface Review {
  readonly request: {
    readonly uid: string;
    readonly userInfo: { readonly username: string };
    readonly object?: { readonly spec?: { readonly notary?: unknown } } | null;
  };
}

const admitted = ({ request: { uid, userInfo, object } }: Review): object => {
  const isRefused =
    object?.spec?.notary !== undefined && userInfo.username !== 'system:serviceaccount:kpack:controller';
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: {
      uid,
      allowed: !isRefused,
      ...(isRefused && {
        status: { code: 400, message: 'use of this field has been deprecated in v1alpha2: spec.notary' },
      }),
    },
  };
};

/** Starts it on a free port. */
export const startKpackWebhook = async (): Promise<KpackWebhook> => {
  const validity = { now: new Date(), days: 2 };
  const authority = makeAuthority('kpack-webhook', validity);
  const { key, cert } = issueFor(authority, ['kpack-webhook.kpack.svc'], validity);
  const asked: string[] = [];
  const server = createServer({ key, cert }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.once('end', () => {
      const path = (request.url ?? '').replace(/\?.*$/, '');
      asked.push(path);
      const body: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
      const answer = path === '/convert' ? convertReview(body) : admitted(body as Review);
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    caBundle: Buffer.from(authority.cert).toString('base64'),
    asked,
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
};

type Reachable = Pick<KpackWebhook, 'port' | 'caBundle'>;

const serviceAt = ({ port, caBundle }: Reachable, path: string) => ({
  service: { namespace: 'kpack', name: 'kpack-webhook', path, port },
  caBundle,
});

/** kpack's definition of a kind; `stored` is the version objects are kept in, v1alpha2 for years now. */
export const kpackDefinition = (kind: Kind, webhook: Reachable, stored = 'v1alpha2'): CustomResourceDefinition => {
  const { plural, singular, shortNames, scope, printerColumns } = kinds[kind];
  const version = (name: string) => ({
    name,
    served: true,
    storage: name === stored,
    subresources: { status: {} },
    additionalPrinterColumns: printerColumns
      .filter((column) => name === 'v1alpha2' || column.name !== 'UpToDate')
      .map((column) => ({ ...column, type: 'string' })),
    schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
  });
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: crdName(kind), annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}' } },
    spec: {
      group: 'kpack.io',
      scope,
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular,
        ...(shortNames.length > 0 && { shortNames: [...shortNames] }),
        categories: ['kpack'],
      },
      versions: [...(inBothVersions.has(kind) ? [version('v1alpha1')] : []), version('v1alpha2')],
      ...(converting.has(kind) && {
        conversion: {
          strategy: 'Webhook',
          webhook: { clientConfig: serviceAt(webhook, '/convert'), conversionReviewVersions: ['v1'] },
        },
      }),
    },
  };
};

const configuration = (
  kind: string,
  name: string,
  path: string,
  webhook: Reachable,
): KubeObject & Readonly<Record<string, unknown>> => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind,
  metadata: { name },
  webhooks: [
    {
      name,
      admissionReviewVersions: ['v1'],
      clientConfig: serviceAt(webhook, path),
      failurePolicy: 'Fail',
      matchPolicy: 'Exact',
      sideEffects: 'None',
      timeoutSeconds: 10,
      namespaceSelector: { matchExpressions: [{ key: 'webhooks.knative.dev/exclude', operator: 'DoesNotExist' }] },
      rules: kindNames
        .filter((one) => one !== 'SourceResolver')
        .map((one) => ({
          apiGroups: ['kpack.io'],
          apiVersions: ['v1alpha2'],
          operations: ['CREATE', 'UPDATE'],
          resources: [kinds[one].plural, `${kinds[one].plural}/status`],
          scope: '*',
        })),
    },
  ],
});

/** Its webhook configurations. */
export const kpackWebhooks = (webhook: Reachable): readonly KubeObject[] => [
  configuration('MutatingWebhookConfiguration', 'defaults.webhook.kpack.io', '/defaults', webhook),
  configuration('ValidatingWebhookConfiguration', 'validation.webhook.kpack.io', '/validate', webhook),
];

const deployment = (name: string, account: string): KubeObject & Readonly<Record<string, unknown>> => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: 'kpack', labels: { app: name, version: '0.17.2' } },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name, version: '0.17.2' } },
      spec: {
        serviceAccountName: account,
        containers: [{ name: account, image: `registry.example/kpack/${account}` }],
      },
    },
  },
});

/** Everything else of the release that a migration meets. */
export const kpackParts = (): readonly KubeObject[] =>
  [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kpack' } },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'kpack-webhook', namespace: 'kpack' },
      spec: { type: 'ExternalName', externalName: 'localhost' },
    },
    deployment('kpack-controller', 'controller'),
    deployment('kpack-webhook', 'webhook'),
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'kpack-controller-admin' },
      rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'kpack-controller-admin-binding' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'kpack-controller-admin' },
      subjects: [{ kind: 'ServiceAccount', name: 'controller', namespace: 'kpack' }],
    },
    {
      apiVersion: 'scheduling.k8s.io/v1',
      kind: 'PriorityClass',
      metadata: { name: 'kpack-build-high-priority' },
      value: 1000,
    },
  ] as readonly KubeObject[];
