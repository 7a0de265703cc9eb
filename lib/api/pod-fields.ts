/** Fields that Image and Build hand on to the build pod, typed by Kubernetes itself. */
import type { Affinity, EnvVar, Toleration } from 'kubernetes-types/core/v1.d.ts';
import * as v from 'valibot';
import { coreObject, coreObjectOf, list, object, type Quantity, quantity, text, textMap } from './field.ts';
import { CnbBindingsSchema, ServicesSchema } from './service-binding.ts';

const EnvVarSchema = coreObjectOf<EnvVar>(
  {
    properties: {
      name: { type: 'string', description: 'Name of the variable.' },
      value: { type: 'string', description: 'Value of the variable.' },
      valueFrom: {
        type: 'object',
        description:
          'Where the value comes from: fieldRef or resourceFieldRef; a secretKeyRef or configMapKeyRef is not supported.',
        'x-kubernetes-preserve-unknown-fields': true,
      },
    },
    required: ['name'],
  },
  'A variable.',
);

const TolerationSchema = coreObjectOf<Toleration>(
  {
    properties: {
      key: { type: 'string', description: 'Key of the taint; empty means any.' },
      operator: { type: 'string', description: 'Exists or Equal (the default).' },
      value: { type: 'string', description: 'Value of the taint.' },
      effect: { type: 'string', description: 'Effect of the taint; empty means any.' },
      tolerationSeconds: { type: 'integer', format: 'int64', description: 'How long a NoExecute taint is tolerated.' },
    },
  },
  'A toleration.',
);

const quantities = (description: string) =>
  v.optional(v.pipe(v.record(v.string(), quantity('An amount.')), v.readonly(), v.description(description)));

/** CPU and memory of every step of the build pod. Source: spec 01 §4.1. */
export const ResourcesSchema = object(
  {
    limits: quantities('The most a step may use.'),
    requests: quantities('What a step is promised.'),
    claims: v.optional(
      list(
        object({ name: text('Name of the claim.'), request: v.optional(text('Request of the claim.')) }, 'A claim.'),
        'Resource claims.',
      ),
    ),
  },
  'Compute resources of the build.',
);

/** Compute resources, quantities as the user wrote them. */
export type Resources = v.InferOutput<typeof ResourcesSchema>;
/** Amounts by resource name. */
export type ResourceAmounts = Readonly<Record<string, Quantity>>;

/** Fields that Image.spec.build and Build.spec share, entry by entry. */
export const podEntries = {
  env: v.optional(list(EnvVarSchema, 'Environment of the buildpacks.')),
  resources: v.optional(ResourcesSchema),
  tolerations: v.optional(list(TolerationSchema, 'Tolerations of the build pod.')),
  nodeSelector: v.optional(
    textMap('Labels a node must have to run the build pod; kubernetes.io/os is found automatically.'),
  ),
  affinity: v.optional(coreObject<Affinity>('Affinity of the build pod.')),
  runtimeClassName: v.optional(text('Runtime class of the build pod.')),
  schedulerName: v.optional(text('Scheduler of the build pod.')),
  creationTime: v.optional(text('Creation time of the app image: empty for 1980, now, or seconds since 1970.')),
  services: v.optional(ServicesSchema),
  cnbBindings: v.optional(CnbBindingsSchema),
};
