/** The structure of a pod's affinity (Kubernetes API reference, "Affinity"), spelled out so that a mistake in it shows when the object is written. */

import type { Structure } from './structure.ts';

type Properties = Readonly<Record<string, Structure>>;

const text = (description: string): Structure => ({ type: 'string', description });
const texts = (description: string): Structure => ({
  type: 'array',
  description,
  items: { type: 'string', description },
});
const object = (description: string, properties: Properties): Structure => ({
  type: 'object',
  description,
  properties,
});
const list = (description: string, items: Structure): Structure => ({ type: 'array', description, items });
const weight: Structure = { type: 'integer', format: 'int32', description: 'How much it counts, 1 to 100.' };

const requirements = (of: string): Structure =>
  list(
    `Requirements on ${of}.`,
    object('A requirement.', {
      key: text('Key that is looked at.'),
      operator: text('In, NotIn, Exists or DoesNotExist; for nodes Gt and Lt too.'),
      values: texts('Values it is compared with.'),
    }),
  );

const nodeTerm = (description: string): Structure =>
  object(description, {
    matchExpressions: requirements('labels of the node'),
    matchFields: requirements('fields of the node'),
  });

const selector = (description: string): Structure =>
  object(description, {
    matchExpressions: requirements('labels'),
    matchLabels: {
      type: 'object',
      description: 'Labels with these values.',
      additionalProperties: text('Value of the label.'),
    },
  });

const podTerm = (description: string): Structure =>
  object(description, {
    labelSelector: selector('Pods that are meant.'),
    namespaceSelector: selector('Namespaces whose pods are meant.'),
    namespaces: texts('Names of namespaces whose pods are meant.'),
    matchLabelKeys: texts('Labels whose value is that of the build pod.'),
    mismatchLabelKeys: texts('Labels whose value is not that of the build pod.'),
    topologyKey: text('Label of nodes that says what is one place, such as kubernetes.io/hostname.'),
  });

const required = 'requiredDuringSchedulingIgnoredDuringExecution';
const preferred = 'preferredDuringSchedulingIgnoredDuringExecution';

const podRules = (description: string): Structure =>
  object(description, {
    [required]: list('What must hold.', podTerm('Pods and a place.')),
    [preferred]: list(
      'What should hold.',
      object('A wish.', { weight, podAffinityTerm: podTerm('Pods and a place.') }),
    ),
  });

/** Its fields, as a schema has them. */
export const affinityStructure = {
  properties: {
    nodeAffinity: object('Nodes that must or should run the pod.', {
      [required]: object('What must hold; one of the terms is enough.', {
        nodeSelectorTerms: list('Alternatives.', nodeTerm('Nodes.')),
      }),
      [preferred]: list('What should hold.', object('A wish.', { weight, preference: nodeTerm('Nodes.') })),
    }),
    podAffinity: podRules('Pods that must or should be near.'),
    podAntiAffinity: podRules('Pods that must or should not be near.'),
  },
} as const satisfies { readonly properties: Properties };
