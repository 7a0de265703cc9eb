/** Fields that Image and Build hand on to the build pod, typed by Kubernetes itself. */
import type { Affinity, EnvVar, Toleration } from 'kubernetes-types/core/v1.d.ts';
import * as v from 'valibot';
import { affinityStructure } from './affinity.ts';
import { amount, coreObjectOf, list, listUpTo, object, type Quantity, text, textMap, textUpTo } from './field.ts';
import { invalidValue, type Rule, ruled } from './rule.ts';
import { CnbBindingsSchema, ServicesSchema } from './service-binding.ts';

const key = { type: 'string', description: 'Key within it.' };
const optional = { type: 'boolean', description: 'Whether it may be missing.' };
const name = { type: 'string', description: 'Name of the object.' };

/** Where a variable may not take its value from: it would stand in the log of the build (lib/api/build-env.ts). */
const refusedSource = (kind: string, instead: string): Rule => ({
  rule: `!has(self.${kind})`,
  fieldPath: `.${kind}`,
  message: `${kind} is not supported for build environment variables: ${instead}`,
  reason: 'FieldValueForbidden',
});

const valueFrom = {
  type: 'object',
  description:
    'Where the value comes from: fieldRef or resourceFieldRef; a secretKeyRef or configMapKeyRef is not supported.',
  properties: {
    fieldRef: {
      type: 'object',
      description: 'A field of the build pod.',
      properties: {
        apiVersion: { type: 'string', description: 'Version in which the field is named; default v1.' },
        fieldPath: { type: 'string', description: 'Path of the field, such as metadata.namespace.' },
      },
    },
    resourceFieldRef: {
      type: 'object',
      description: 'A limit or request of a container.',
      properties: {
        containerName: { type: 'string', description: 'Name of the container; default the step itself.' },
        resource: { type: 'string', description: 'The resource, such as limits.cpu.' },
        divisor: { 'x-kubernetes-int-or-string': true, description: 'The unit it is told in; default 1.' },
      },
    },
    secretKeyRef: { type: 'object', description: 'Not supported.', properties: { name, key, optional } },
    configMapKeyRef: { type: 'object', description: 'Not supported.', properties: { name, key, optional } },
    fileKeyRef: {
      type: 'object',
      description: 'Not supported.',
      properties: {
        volumeName: { type: 'string', description: 'Name of the volume.' },
        path: { type: 'string', description: 'Path within the volume.' },
        key,
        optional,
      },
    },
  },
  'x-kubernetes-validations': [
    refusedSource('secretKeyRef', 'write the value, or bind the Secret as a service'),
    refusedSource('configMapKeyRef', 'write the value, or bind a Secret as a service'),
    refusedSource('fileKeyRef', 'write the value'),
  ],
};

const EnvVarSchema = coreObjectOf<EnvVar>(
  {
    properties: {
      name: { type: 'string', description: 'Name of the variable.' },
      value: { type: 'string', description: 'Value of the variable; default empty.' },
      valueFrom,
    },
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
  v.optional(v.pipe(v.record(v.string(), amount('An amount.')), v.readonly(), v.description(description)));

/** CPU and memory of every step of the build pod. Source: spec 01 §4.1. */
export const ResourcesSchema = object(
  {
    limits: quantities('The most a step may use.'),
    requests: quantities('What a step is promised.'),
    claims: v.optional(
      list(
        object(
          { name: v.optional(text('Name of the claim.'), ''), request: v.optional(text('Request of the claim.')) },
          'A claim.',
        ),
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

/** The system of the nodes is found from the builder. */
const systemIsFound: Rule = {
  rule: "!('kubernetes.io/os' in self)",
  message: 'invalid key name "kubernetes.io/os": os is determined automatically',
};

/** What kpack takes as the creation time of an image; checked on Images, while a Build with another fails when its pod is made (spec 01 §7.5). */
export const creationTime: Rule = {
  rule: "self in ['', 'now'] || self.matches('^[+-]?0*[0-9]{1,18}$')",
  ...invalidValue('self', "must be now, or seconds since 1970 such as '1700000000'"),
};

/** Fields that Image.spec.build and Build.spec share, entry by entry. */
export const podEntries = {
  env: v.optional(listUpTo(4096, EnvVarSchema, 'Environment of the buildpacks.')),
  resources: v.optional(ResourcesSchema),
  tolerations: v.optional(list(TolerationSchema, 'Tolerations of the build pod.')),
  nodeSelector: v.optional(
    ruled(
      textMap('Labels a node must have to run the build pod; kubernetes.io/os is found automatically.'),
      systemIsFound,
    ),
  ),
  affinity: v.optional(coreObjectOf<Affinity>(affinityStructure, 'Affinity of the build pod.')),
  runtimeClassName: v.optional(text('Runtime class of the build pod.')),
  schedulerName: v.optional(text('Scheduler of the build pod.')),
  creationTime: v.optional(textUpTo(64, 'Creation time of the app image: empty for 1980, now, or seconds since 1970.')),
  services: v.optional(ServicesSchema),
  cnbBindings: v.optional(CnbBindingsSchema),
};
