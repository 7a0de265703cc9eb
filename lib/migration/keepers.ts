/** Who keeps an object of kpack's as it is, and would put kpack back, or delete its definitions with everything of theirs. Pure. */
import type { KubeObject } from '../kube/object.ts';

/** Labels and annotations by which tools know what is theirs. */
const marks: readonly (readonly [tool: string, key: string])[] = [
  ['kapp', 'kapp.k14s.io/app'],
  ['Argo CD', 'argocd.argoproj.io/tracking-id'],
  ['Argo CD', 'argocd.argoproj.io/instance'],
  ['Flux', 'kustomize.toolkit.fluxcd.io/name'],
  ['Flux', 'helm.toolkit.fluxcd.io/name'],
  ['Helm', 'meta.helm.sh/release-name'],
  ['Config Sync', 'configmanagement.gke.io/managed'],
  ['the addon manager', 'addonmanager.kubernetes.io/mode'],
  ['the Operator Lifecycle Manager', 'olm.managed'],
];

/** The tools that say of `object` that it is theirs, each once. */
export const keepersOf = ({ metadata }: KubeObject): readonly string[] => {
  const { labels = {}, annotations = {} } = metadata ?? {};
  return [...new Set(marks.flatMap(([tool, key]) => (key in labels || key in annotations ? [tool] : [])))];
};
