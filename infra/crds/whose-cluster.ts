/** Whether the kpack.io of a cluster is ours, nobody's or kpack's: two controllers would build everything twice (DESIGN §3.20). */
import type { CustomResourceDefinition } from 'kubernetes-types/apiextensions/v1.d.ts';
import { crdName, kindNames } from '../../lib/api/kinds.ts';
import type { KubeClient } from '../../lib/kube/client.ts';
import { type KubeObject, showKey } from '../../lib/kube/object.ts';
import {
  isLaidDown,
  kpackController,
  kpackWebhook,
  kpackWebhookConfigurations,
  type LiveDeployment,
} from '../../lib/migration/kpack.ts';
import { managedByLabel } from './definition.ts';

type Definition = CustomResourceDefinition & KubeObject;

const [[label, ours] = ['', '']] = Object.entries(managedByLabel);

/** Whether it is of kpackless, or of somebody else. */
export const isOurDefinition = ({ metadata }: KubeObject): boolean => metadata?.labels?.[label] === ours;

/** What people are told to do about it. */
export const wayOutOfKpack =
  'kpackless migrate check shows what taking it over comes to, kpackless migrate run does it in place, and kpackless migrate back undoes it (docs/migration.md)';

/** What of kpack works in the cluster; nothing where kpackless may be installed. Deployments that a migration laid down do not. Only reads. @throws KubeError */
export const tracesOfKpack = async (kube: KubeClient): Promise<readonly string[]> => {
  const found: string[] = [];
  for (const key of [kpackController, kpackWebhook]) {
    const deployment = await kube.get<LiveDeployment>(key);
    if (deployment !== undefined && !isLaidDown(deployment)) found.push(showKey(key));
  }
  for (const key of kpackWebhookConfigurations)
    if ((await kube.get<KubeObject>(key)) !== undefined) found.push(showKey(key));
  for (const kind of kindNames) {
    const name = crdName(kind);
    const definition = await kube.get<Definition>({ kind: 'CustomResourceDefinition', namespace: '', name });
    if (definition !== undefined && !isOurDefinition(definition)) found.push(`CustomResourceDefinition ${name}`);
  }
  return found;
};
