/** Our definitions take the place of kpack's, object for object, and everything that kpackless needs beside them. */
import type { CustomResourceDefinition } from 'kubernetes-types/apiextensions/v1.d.ts';
import { ExpectedError } from '../../../lib/errors/expected.ts';
import type { KubeClient } from '../../../lib/kube/client.ts';
import { isKubeError } from '../../../lib/kube/errors.ts';
import { type KubeObject, keyOf, showKey } from '../../../lib/kube/object.ts';
import { type LiveDefinition, managedFieldsOf, withSpecOurs } from '../../../lib/migration/definitions.ts';
import { isOurDefinition } from '../../crds/whose-cluster.ts';
import { defaultCachePolicy } from '../../default-cache.ts';
import { manifestsFor } from '../manifests.ts';
import type { MoveStep } from './steps.ts';

/** What of it is the user's choice. */
export interface InstallOptions {
  readonly tenantEverywhere: boolean;
  readonly isConverted: boolean;
}

const mostTries = 5;

/** Makes the spec ours, so that applying takes away what ours does not have. Another writer in between is no reason to give up. */
const ownSpec = async (client: KubeClient, wanted: KubeObject): Promise<void> => {
  const key = keyOf(wanted);
  for (let tries = 1; ; tries += 1) {
    const found = await client.get<LiveDefinition>(key);
    if (found === undefined || isOurDefinition(found)) return;
    const { resourceVersion, uid } = found.metadata ?? {};
    const managedFields = withSpecOurs(managedFieldsOf(found.metadata));
    try {
      await client.patch(key, { metadata: { uid, resourceVersion, managedFields } });
      return;
    } catch (error) {
      if (!isKubeError(error, 'conflict')) throw error;
      if (tries >= mostTries)
        throw new ExpectedError(`${showKey(key)} is changed by others all the time`, { cause: error });
    }
  }
};

const isDefinition = (object: KubeObject): object is CustomResourceDefinition & KubeObject =>
  object.kind === 'CustomResourceDefinition';

/** The step. */
export const installOurs = ({ tenantEverywhere, isConverted }: InstallOptions): MoveStep => ({
  what: 'our definitions in place of kpack’s, permissions and admission policies',
  byHand: [
    '# SourceResolvers are the same object in both versions, and need no webhook',
    `kubectl patch crd sourceresolvers.kpack.io --type merge -p '{"spec":{"conversion":{"strategy":"None","webhook":null}}}'`,
    'kubectl apply --server-side --force-conflicts --field-manager kpackless -f infra/crds -f infra/cluster/rbac.yaml -f infra/cluster/admission.yaml',
    ...(isConverted
      ? [
          'kubectl apply --server-side --force-conflicts --field-manager kpackless -f infra/crds/converted -f infra/cluster/conversion.yaml',
        ]
      : [
          `for crd in images builds builders; do kubectl patch crd $crd.kpack.io --type merge -p '{"spec":{"conversion":{"strategy":"None","webhook":null}}}'; done`,
        ]),
    '# where the API server serves MutatingAdmissionPolicy in v1beta1',
    'kubectl apply --server-side --field-manager kpackless -f infra/cluster/default-cache.yaml',
    ...(tenantEverywhere
      ? ['kubectl apply --server-side --field-manager kpackless -f infra/cluster/tenant-everywhere.yaml']
      : []),
  ],
  take: async ({ client }, tell) => {
    const objects = [
      ...manifestsFor({ tenantEverywhere, relay: undefined, isConverted }),
      ...(await defaultCachePolicy(client)),
    ];
    for (const object of objects) {
      tell(showKey(keyOf(object)));
      if (isDefinition(object)) await ownSpec(client, object);
      await client.apply(object);
    }
    return `${objects.length} objects applied; v1alpha1 is ${isConverted ? 'served as soon as the relay or standalone mode converts' : 'not served'}`;
  },
});
