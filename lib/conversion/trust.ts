/** What definitions say of conversion. Of whoever converts: only the bundle of certificates, which is all that a policy lets it change (infra/cluster/conversion.yaml). */
import type { CustomResourceDefinition, WebhookClientConfig } from 'kubernetes-types/apiextensions/v1.d.ts';
import { crdName, type Kind } from '../api/kinds.ts';
import type { KubeClient } from '../kube/client.ts';
import type { KubeObject } from '../kube/object.ts';

type Definition = CustomResourceDefinition & KubeObject;

/** Kinds that are other objects in v1alpha1 (spec 01 §10). */
export const convertedKinds = ['Image', 'Build', 'Builder'] as const satisfies readonly Kind[];

const converted: ReadonlySet<Kind> = new Set(convertedKinds);

/** Makes every definition that asks for conversion trust `certificates`, PEM. Gives the kinds whose definitions do ask. @throws KubeError */
export const trustInDefinitions = async (kube: KubeClient, certificates: string): Promise<readonly Kind[]> => {
  const caBundle = Buffer.from(certificates, 'utf8').toString('base64');
  const asking: Kind[] = [];
  for (const kind of convertedKinds) {
    const key = { kind: 'CustomResourceDefinition', namespace: '', name: crdName(kind) };
    const definition = await kube.get<Definition>(key);
    const clientConfig = definition?.spec.conversion?.webhook?.clientConfig;
    if (clientConfig === undefined) continue;
    asking.push(kind);
    if (clientConfig.caBundle !== caBundle)
      await kube.patch(key, { spec: { conversion: { webhook: { clientConfig: { caBundle } } } } });
  }
  return asking;
};

/** Whom the definition of a kind asks for conversion now, without whose certificates it trusts; undefined when it asks nobody. @throws KubeError */
export const converterAsked = async (
  kube: Pick<KubeClient, 'get'>,
  kind: Kind,
): Promise<WebhookClientConfig | undefined> => {
  if (!converted.has(kind)) return undefined;
  const key = { kind: 'CustomResourceDefinition', namespace: '', name: crdName(kind) };
  const { strategy, webhook } = (await kube.get<Definition>(key))?.spec.conversion ?? {};
  if (strategy !== 'Webhook' || webhook?.clientConfig === undefined) return undefined;
  const { caBundle: _, ...whom } = webhook.clientConfig;
  return whom;
};

/**
 * Takes back what definitions ask for, so that they can be applied without: the bundle of certificates is not of whoever applies them, and server-side apply
 * leaves it where it is, which the API server refuses beside a definition that names nobody. @throws KubeError
 */
export const askForNoConversion = async (kube: KubeClient): Promise<void> => {
  for (const kind of convertedKinds) {
    const key = { kind: 'CustomResourceDefinition', namespace: '', name: crdName(kind) };
    const definition = await kube.get<Definition>(key);
    if (definition?.spec.conversion?.strategy === 'Webhook')
      await kube.patch(key, { spec: { conversion: { strategy: 'None', webhook: null } } });
  }
};
