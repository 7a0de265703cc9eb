/** Whether the kpack.io of a cluster is ours, nobody's or kpack's: two controllers would build everything twice (DESIGN §3.20). */
import type { CustomResourceDefinition } from 'kubernetes-types/apiextensions/v1.d.ts';
import { crdName, kindNames } from '../../lib/api/kinds.ts';
import type { KubeClient } from '../../lib/kube/client.ts';
import type { KubeObject } from '../../lib/kube/object.ts';
import { managedByLabel } from './definition.ts';

type Definition = CustomResourceDefinition & KubeObject;

const [[label, ours] = ['', '']] = Object.entries(managedByLabel);

/** What kpack's release puts into a cluster beside its CRDs (spec 05 §1). Its webhooks are cluster-wide and fail closed. */
const traces = [
  { kind: 'Deployment', namespace: 'kpack', name: 'kpack-controller' },
  { kind: 'Deployment', namespace: 'kpack', name: 'kpack-webhook' },
  { kind: 'MutatingWebhookConfiguration', namespace: '', name: 'defaults.webhook.kpack.io' },
  { kind: 'ValidatingWebhookConfiguration', namespace: '', name: 'validation.webhook.kpack.io' },
] as const;

const shown = ({ kind, namespace, name }: (typeof traces)[number]): string =>
  namespace === '' ? `${kind} ${name}` : `${kind} ${namespace}/${name}`;

/** What of kpack is in the cluster; nothing where kpackless may be installed. Only reads. @throws KubeError */
export const tracesOfKpack = async (kube: KubeClient): Promise<readonly string[]> => {
  const found: string[] = [];
  for (const trace of traces) if ((await kube.get<KubeObject>(trace)) !== undefined) found.push(shown(trace));
  for (const kind of kindNames) {
    const name = crdName(kind);
    const definition = await kube.get<Definition>({ kind: 'CustomResourceDefinition', namespace: '', name });
    if (definition !== undefined && definition.metadata?.labels?.[label] !== ours)
      found.push(`CustomResourceDefinition ${name}`);
  }
  return found;
};
