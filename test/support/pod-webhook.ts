/** A mutating webhook on loopback that changes pods as meshes, agents and policies do: what it does to one says the pod's label. */
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Pod, PodSpec } from 'kubernetes-types/core/v1.d.ts';
import type { KubeTransport } from '../../lib/kube/transport.ts';
import { selfSigned } from './self-signed.ts';

/** The label of pods that are changed; its value names the change. */
export const injectLabel = 'kpackless.dev/inject';

/** What becomes of a pod's spec. */
export type Injection = (spec: PodSpec) => PodSpec;

interface Review {
  readonly request: { readonly uid: string; readonly object: Pod };
}

/** Starts it and makes it known to the API server. */
export const startPodWebhook = async (
  transport: KubeTransport,
  injections: Readonly<Record<string, Injection>>,
): Promise<AsyncDisposable> => {
  const { key, cert } = await selfSigned();
  const server = createServer({ key, cert }, (incoming, answer) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
      const { request } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Review;
      const { metadata, spec } = request.object;
      const inject = injections[metadata?.labels?.[injectLabel] ?? ''];
      const patch =
        inject === undefined || spec === undefined ? [] : [{ op: 'replace', path: '/spec', value: inject(spec) }];
      const response = {
        uid: request.uid,
        allowed: true,
        patchType: 'JSONPatch',
        patch: Buffer.from(JSON.stringify(patch)).toString('base64'),
      };
      answer.setHeader('content-type', 'application/json');
      answer.end(JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response }));
    })();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const name = `injections-${(server.address() as AddressInfo).port}`;
  const path = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  await transport.send({
    method: 'POST',
    path,
    contentType: 'application/json',
    body: JSON.stringify({
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'MutatingWebhookConfiguration',
      metadata: { name },
      webhooks: [
        {
          name: 'pods.injections.kpackless.dev',
          admissionReviewVersions: ['v1'],
          sideEffects: 'None',
          clientConfig: { url, caBundle: Buffer.from(cert).toString('base64') },
          objectSelector: { matchExpressions: [{ key: injectLabel, operator: 'Exists' }] },
          rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
        },
      ],
    }),
  });
  return {
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
};
