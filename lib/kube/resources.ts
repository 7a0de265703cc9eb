/** Where each kind lives in the API. One row a kind; adding a kind is one row (DESIGN §3.21). */
import { type Kind, kindNames, kinds } from '../api/kinds.ts';
import { API_VERSION } from '../api/resource.ts';
import { PermanentError } from '../errors/expected.ts';
import { printable } from '../text/printable.ts';

/** Path segments of a kind's collection. */
export interface Resource {
  readonly apiVersion: string;
  readonly plural: string;
  readonly namespaced: boolean;
}

const kpack = (kind: Kind): Resource => ({
  apiVersion: API_VERSION,
  plural: kinds[kind].plural,
  namespaced: kinds[kind].scope === 'Namespaced',
});
const core = (plural: string, namespaced = true): Resource => ({ apiVersion: 'v1', plural, namespaced });

const resources: Readonly<Record<string, Resource>> = {
  ...Object.fromEntries(kindNames.map((kind) => [kind, kpack(kind)])),
  Pod: core('pods'),
  Secret: core('secrets'),
  ConfigMap: core('configmaps'),
  ServiceAccount: core('serviceaccounts'),
  PersistentVolume: core('persistentvolumes', false),
  PersistentVolumeClaim: core('persistentvolumeclaims'),
  Namespace: core('namespaces', false),
  Service: core('services'),
  Node: core('nodes', false),
  Event: core('events'),
  ClusterRole: { apiVersion: 'rbac.authorization.k8s.io/v1', plural: 'clusterroles', namespaced: false },
  Role: { apiVersion: 'rbac.authorization.k8s.io/v1', plural: 'roles', namespaced: true },
  RoleBinding: { apiVersion: 'rbac.authorization.k8s.io/v1', plural: 'rolebindings', namespaced: true },
  ClusterRoleBinding: { apiVersion: 'rbac.authorization.k8s.io/v1', plural: 'clusterrolebindings', namespaced: false },
  PodDisruptionBudget: { apiVersion: 'policy/v1', plural: 'poddisruptionbudgets', namespaced: true },
  Deployment: { apiVersion: 'apps/v1', plural: 'deployments', namespaced: true },
  StorageClass: { apiVersion: 'storage.k8s.io/v1', plural: 'storageclasses', namespaced: false },
  PriorityClass: { apiVersion: 'scheduling.k8s.io/v1', plural: 'priorityclasses', namespaced: false },
  MutatingWebhookConfiguration: {
    apiVersion: 'admissionregistration.k8s.io/v1',
    plural: 'mutatingwebhookconfigurations',
    namespaced: false,
  },
  ValidatingWebhookConfiguration: {
    apiVersion: 'admissionregistration.k8s.io/v1',
    plural: 'validatingwebhookconfigurations',
    namespaced: false,
  },
  ValidatingAdmissionPolicy: {
    apiVersion: 'admissionregistration.k8s.io/v1',
    plural: 'validatingadmissionpolicies',
    namespaced: false,
  },
  ValidatingAdmissionPolicyBinding: {
    apiVersion: 'admissionregistration.k8s.io/v1',
    plural: 'validatingadmissionpolicybindings',
    namespaced: false,
  },
  // The version that is measured; where it is not served, the reconciler does what this policy does (docs/decisions/0016-default-cache.md).
  MutatingAdmissionPolicy: {
    apiVersion: 'admissionregistration.k8s.io/v1beta1',
    plural: 'mutatingadmissionpolicies',
    namespaced: false,
  },
  MutatingAdmissionPolicyBinding: {
    apiVersion: 'admissionregistration.k8s.io/v1beta1',
    plural: 'mutatingadmissionpolicybindings',
    namespaced: false,
  },
  CustomResourceDefinition: {
    apiVersion: 'apiextensions.k8s.io/v1',
    plural: 'customresourcedefinitions',
    namespaced: false,
  },
};

/** The row of `kind`. A kind without one is a bug in the caller. */
export const resourceOf = (kind: string): Resource => {
  const resource = resources[kind];
  if (resource === undefined)
    throw new Error(`no API resource is known for kind ${kind}: add it to lib/kube/resources.ts`);
  return resource;
};

/**
 * One segment of a path: a name that a user wrote somewhere may not climb out of its place. `.` and `..` are taken out by whoever reads the
 * path, whatever the encoding; the API server names nothing with `/` or `%`.
 */
const segment = (text: string, what: string): string => {
  if (text === '' || text === '.' || text === '..' || text.length > 253 || /[/%]/u.test(text) || !text.isWellFormed())
    throw new PermanentError(
      'InvalidName',
      `${JSON.stringify(printable(text, 100))} cannot be the name of a ${what}; correct the reference to it`,
    );
  return encodeURIComponent(text);
};

/** Path of a kind's collection, in one namespace or, without, in all of them (Kubernetes API concepts, resource URIs). */
export const collectionPath = (kind: string, namespace = ''): string => {
  const { apiVersion, plural, namespaced } = resourceOf(kind);
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const scope = namespaced && namespace !== '' ? `/namespaces/${segment(namespace, 'Namespace')}` : '';
  return `${root}${scope}/${plural}`;
};

/** Path of one object. Throws PermanentError `InvalidName`. */
export const objectPath = (kind: string, namespace: string, name: string): string =>
  `${collectionPath(kind, namespace)}/${segment(name, kind)}`;

/** Path of a namespaced object of a kind that has no row here. Throws PermanentError `InvalidName`. */
export const foreignPath = (apiVersion: string, plural: string, namespace: string, name: string): string => {
  const parts = apiVersion.split('/');
  if (parts.length > 2) segment(apiVersion, 'version of an API');
  const root = parts.length === 2 ? '/apis' : '/api';
  const version = parts.map((part) => segment(part, 'version of an API')).join('/');
  return `${root}/${version}/namespaces/${segment(namespace, 'Namespace')}/${segment(plural, 'resource')}/${segment(name, plural)}`;
};
