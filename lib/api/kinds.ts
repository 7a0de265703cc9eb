/** The table of kinds: what the API calls each, and what `kubectl get` prints of it (spec 01 §1). */
import { GROUP } from './resource.ts';

/** One column of `kubectl get`; all are strings and there is no age. */
export interface PrinterColumn {
  readonly name: string;
  readonly jsonPath: string;
}

/** How the API names a kind. `listKind` is always `<Kind>List`, the category always `kpack`. */
export interface KindNames {
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly scope: 'Namespaced' | 'Cluster';
  readonly printerColumns: readonly PrinterColumn[];
}

/** The category all kinds are in: `kubectl get kpack` lists them. */
export const kpackCategory = 'kpack';

const condition = (type: string): PrinterColumn => ({
  name: type,
  jsonPath: `.status.conditions[?(@.type=="${type}")].status`,
});
const latestImage = (name: string): PrinterColumn => ({ name, jsonPath: '.status.latestImage' });
const ready = condition('Ready');
const builderColumns = [latestImage('LatestImage'), ready, condition('UpToDate')];

const named = (
  singular: string,
  scope: KindNames['scope'],
  printerColumns: readonly PrinterColumn[],
  ...shortNames: readonly string[]
): KindNames => ({ plural: `${singular}s`, singular, shortNames, scope, printerColumns });

/** All kinds, in the order they are documented in. */
export const kinds = {
  Image: named('image', 'Namespaced', [latestImage('LatestImage'), ready], 'cnbimage', 'cnbimages', 'img', 'imgs'),
  Build: named(
    'build',
    'Namespaced',
    [latestImage('Image'), condition('Succeeded')],
    'cnbbuild',
    'cnbbuilds',
    'bld',
    'blds',
  ),
  SourceResolver: named('sourceresolver', 'Namespaced', [ready]),
  Builder: named('builder', 'Namespaced', builderColumns, 'bldr', 'bldrs'),
  ClusterBuilder: named('clusterbuilder', 'Cluster', builderColumns, 'clstbldr', 'clstbldrs'),
  Buildpack: named('buildpack', 'Namespaced', [ready], 'bp', 'bps'),
  ClusterBuildpack: named('clusterbuildpack', 'Cluster', [ready], 'clstbp', 'clstbps'),
  ClusterStore: named('clusterstore', 'Cluster', [ready]),
  ClusterStack: named('clusterstack', 'Cluster', [ready]),
  ClusterLifecycle: named('clusterlifecycle', 'Cluster', [ready]),
} as const satisfies Readonly<Record<string, KindNames>>;

/** A kind of group kpack.io. */
export type Kind = keyof typeof kinds;

/** Whether `text` names one of our kinds. */
export const isKind = (text: string): text is Kind => Object.hasOwn(kinds, text);

/** Every kind, in the order of the table. */
export const kindNames: readonly Kind[] = Object.keys(kinds).filter(isKind);

/** Name of a kind's CustomResourceDefinition. */
export const crdName = (kind: Kind): string => `${kinds[kind].plural}.${GROUP}`;
