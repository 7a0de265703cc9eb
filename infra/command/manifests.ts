/** What is applied to a cluster: definitions, permissions, admission policies, the relay (infra/crds, infra/cluster). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';
import { kindNames } from '../../lib/api/kinds.ts';
import { roleAnnotation } from '../../lib/clusters/account-role.ts';
import { PermanentError } from '../../lib/errors/expected.ts';
import type { KubeObject } from '../../lib/kube/object.ts';
import { type Converter, definitionOf } from '../crds/definition.ts';

const folder = join(import.meta.dirname, '..', 'cluster');

/** The objects of a file of infra/cluster. */
export const objectsIn = (file: string, fill: (text: string) => string = (text) => text): readonly KubeObject[] =>
  parseAllDocuments(fill(readFileSync(join(folder, file), 'utf8'))).map((document) => document.toJS() as KubeObject);

/** What the relay is told. */
export interface RelayValues {
  readonly cluster: string;
  readonly image: string;
  readonly region: string;
  readonly account: string;
  readonly table: string;
  /** Of IRSA: the role that its ServiceAccount takes. */
  readonly roleArn: string | undefined;
}

const withValues =
  ({ cluster, image, region, account, table }: RelayValues) =>
  (text: string): string =>
    text
      .replaceAll('REPLACE-RELAY-IMAGE', image)
      .replaceAll('REPLACE-REGION', region)
      .replaceAll('REPLACE-ACCOUNT', account)
      .replaceAll('REPLACE-CLUSTER', cluster)
      // The table and, with a dash behind it, what the names of queues begin with.
      .replaceAll('REPLACE-INSTALLATION', table);

const annotated = (object: KubeObject, roleArn: string | undefined): KubeObject =>
  roleArn === undefined || object.kind !== 'ServiceAccount'
    ? object
    : {
        ...object,
        metadata: { ...object.metadata, annotations: { ...object.metadata?.annotations, [roleAnnotation]: roleArn } },
      };

/** What makes a cluster ready. @throws PermanentError when something would be left to fill in */
export const manifestsFor = ({
  tenantEverywhere,
  relay,
  converter,
}: {
  readonly tenantEverywhere: boolean;
  readonly relay: RelayValues | undefined;
  /** Who converts between the versions; without, v1alpha1 of what must be converted is not served. */
  readonly converter?: Converter | undefined;
}): readonly KubeObject[] => {
  const objects = [
    ...kindNames.map((kind): KubeObject => definitionOf(kind, { converter })),
    ...objectsIn('rbac.yaml'),
    ...objectsIn('admission.yaml'),
    ...(tenantEverywhere ? objectsIn('tenant-everywhere.yaml') : []),
    ...(relay === undefined
      ? []
      : [
          ...objectsIn('relay-rbac.yaml').map((object) => annotated(object, relay.roleArn)),
          ...objectsIn('relay.yaml', withValues(relay)),
          ...objectsIn('relay-disruption.yaml'),
        ]),
  ];
  if (JSON.stringify(objects).includes('REPLACE-'))
    throw new PermanentError('Manifests', 'infra/cluster has something to fill in that the command does not know');
  return objects;
};

/** As kubectl takes them. */
export const asYaml = (objects: readonly KubeObject[]): string =>
  objects.map((object) => stringify(object, { lineWidth: 0 })).join('---\n');
