/** Whether v1alpha1 can be read and written: the API server is asked to convert something that it then does not keep. */
import type { CustomResourceDefinition } from 'kubernetes-types/apiextensions/v1.d.ts';
import type { KubeClient } from '../../../lib/kube/client.ts';
import { isKubeError, KubeError } from '../../../lib/kube/errors.ts';
import type { KubeObject } from '../../../lib/kube/object.ts';
import type { KubeTransport } from '../../../lib/kube/transport.ts';
import { type Checked, unknown, well, wrong } from '../findings.ts';

type Definition = CustomResourceDefinition & KubeObject;

const path = '/apis/kpack.io/v1alpha1/namespaces/default/images';
const tried = {
  apiVersion: 'kpack.io/v1alpha1',
  kind: 'Image',
  metadata: { generateName: 'kpackless-check-' },
  spec: {
    tag: 'registry.example/kpackless/check',
    builder: { kind: 'ClusterBuilder', name: 'check' },
    source: { git: { url: 'https://git.example/check', revision: 'main' } },
  },
};

/** One line about it. */
export const conversion = async (client: KubeClient, transport: KubeTransport): Promise<Checked> => {
  const key = { kind: 'CustomResourceDefinition', namespace: '', name: 'images.kpack.io' };
  const definition = await client.get<Definition>(key);
  const isServed = definition?.spec.versions.some(({ name, served }) => name === 'v1alpha1' && served) ?? false;
  if (!isServed)
    return unknown(
      'v1alpha1',
      'it is not served, as nobody converts it',
      'kp … --wait and manifests in v1alpha1 need it: docs/conversion.md',
    );
  try {
    await transport.send({
      method: 'POST',
      path,
      query: { dryRun: 'All' },
      body: JSON.stringify(tried),
      contentType: 'application/json',
    });
    return well('v1alpha1', 'the API server has it converted');
  } catch (error) {
    if (isKubeError(error, 'forbidden')) return unknown('v1alpha1', 'you may not make an Image to try it');
    if (!(error instanceof KubeError)) throw error;
    return wrong(
      'v1alpha1',
      `it cannot be converted: ${error.message}`,
      'look whether a pod with label kpackless.io/converts is ready in namespace kpack, and whether the API server may reach its port 8443 (docs/conversion.md)',
    );
  }
};
