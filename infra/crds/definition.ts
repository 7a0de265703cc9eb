/** The CustomResourceDefinition of a kind (spec 01 §1). */
import type {
  CustomResourceConversion,
  CustomResourceDefinition,
  CustomResourceDefinitionVersion,
  WebhookClientConfig,
} from 'kubernetes-types/apiextensions/v1.d.ts';
import type * as v from 'valibot';
import { crdName, type Kind, kinds, kpackCategory } from '../../lib/api/kinds.ts';
import { GROUP, VERSION } from '../../lib/api/resource.ts';
import { OLDER_VERSION } from '../../lib/api/v1alpha1/resource.ts';
import { conversionPath } from '../../lib/conversion/path.ts';
import { convertedSchemas, sameInBothVersions, schemas } from './schemas.ts';
import { structuralSchema } from './structural-schema.ts';
import { withoutRules } from './without-rules.ts';

/** Says that a definition is ours: an installation where it is missing belongs to somebody else (DESIGN §3.20). */
export const managedByLabel = { 'app.kubernetes.io/managed-by': 'kpackless' } as const;

/** Where the API server finds who converts between the versions, and whose certificate to expect there. */
export type Converter = WebhookClientConfig;

/** In the cluster (infra/cluster/conversion.yaml); whose certificate to expect is written there by who converts. */
export const ofService: Converter = {
  service: { namespace: 'kpack', name: 'kpackless-conversion', path: conversionPath, port: 443 },
};

/** Kinds that kpack's admission does not know (spec 01 §9.2). */
const unchecked: ReadonlySet<Kind> = new Set(['SourceResolver']);

const converted: Partial<Readonly<Record<Kind, v.GenericSchema>>> = convertedSchemas;

const storedSchema = (kind: Kind) => {
  const schema = structuralSchema(schemas[kind]);
  return unchecked.has(kind) ? withoutRules(schema) : schema;
};

/** Its schema in v1alpha1; undefined where that is not served. */
const olderSchema = (kind: Kind, isConverted: boolean) => {
  if (sameInBothVersions.has(kind)) return withoutRules(storedSchema(kind));
  const older = isConverted ? converted[kind] : undefined;
  return older === undefined ? undefined : withoutRules(structuralSchema(older));
};

/** kpack shows whether a builder is up to date in v1alpha2 alone (spec 01 §1). */
const columnsOf = (kind: Kind, version: string) =>
  kinds[kind].printerColumns
    .filter(({ name }) => version === VERSION || name !== 'UpToDate')
    .map((column) => ({ ...column, type: 'string' }));

const versionOf = (kind: Kind, name: string, schema: object): CustomResourceDefinitionVersion => ({
  name,
  served: true,
  storage: name === VERSION,
  subresources: { status: {} },
  additionalPrinterColumns: columnsOf(kind, name),
  schema: { openAPIV3Schema: schema },
});

const conversionOf = (kind: Kind, converter: Converter | undefined): CustomResourceConversion | undefined => {
  if (converter !== undefined && converted[kind] !== undefined)
    return { strategy: 'Webhook', webhook: { clientConfig: converter, conversionReviewVersions: ['v1'] } };
  return sameInBothVersions.has(kind) ? { strategy: 'None' } : undefined;
};

/**
 * A kind's definition, ready to apply. v1alpha2 is stored; v1alpha1 is served where it is the same object or where a `converter` is given that the API
 * server reaches (DESIGN §3.12).
 */
export const definitionOf = (
  kind: Kind,
  { converter }: { readonly converter?: Converter | undefined } = {},
): CustomResourceDefinition => {
  const { plural, singular, shortNames, scope } = kinds[kind];
  const older = olderSchema(kind, converter !== undefined);
  const conversion = conversionOf(kind, converter);
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: crdName(kind), labels: managedByLabel },
    spec: {
      group: GROUP,
      scope,
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular,
        ...(shortNames.length === 0 ? {} : { shortNames: [...shortNames] }),
        categories: [kpackCategory],
      },
      ...(conversion === undefined ? {} : { conversion }),
      versions: [
        versionOf(kind, VERSION, storedSchema(kind)),
        ...(older === undefined ? [] : [versionOf(kind, OLDER_VERSION, older)]),
      ],
    },
  };
};
