/** The part of an Image whose change means a rebuild with reason CONFIG, in kpack's own serialisation (spec 02 §4.2, §4.3). */
import type { EnvVar } from 'kubernetes-types/core/v1.d.ts';
import type { Build } from '../api/build.ts';
import type { Image } from '../api/image.ts';
import type { ResourceAmounts, Resources } from '../api/pod-fields.ts';
import type { SourceConfig } from '../api/source-config.ts';
import { type GoJson, goJson, sortedMap } from '../text/go-json.ts';
import { canonicalQuantity, quantityValue } from '../text/quantity.ts';

/** What CONFIG compares. */
export type BuildConfig = Pick<Build['spec'], 'env' | 'resources' | 'services' | 'cnbBindings' | 'source'>;

/** What a Build was made from. */
export const configOfBuild = (build: Build | undefined): BuildConfig => {
  const { env, resources, services, cnbBindings, source = {} } = build?.spec ?? {};
  return { env, resources, services, cnbBindings, source };
};

/** What the Image wants now, with its source as resolved. */
export const configOfImage = ({ spec }: Image, source: SourceConfig): BuildConfig => {
  const { env, resources, services, cnbBindings } = spec.build ?? {};
  return { env, resources, services, cnbBindings, source };
};

type Json = Readonly<Record<string, GoJson>>;

/** Leaves out what Go's `omitempty` leaves out. */
const members = (entries: Json): Json =>
  Object.fromEntries(
    Object.entries(entries).filter(
      ([, value]) =>
        value !== undefined &&
        value !== '' &&
        value !== 0 &&
        value !== false &&
        !(Array.isArray(value) && value.length === 0),
    ),
  );

/** How quantities are printed: in canonical form for readers, by value for comparisons. */
type PrintQuantity = (quantity: string | number) => string;

const amounts = (given: ResourceAmounts | undefined, print: PrintQuantity): GoJson =>
  given === undefined || Object.keys(given).length === 0
    ? undefined
    : sortedMap(Object.entries(given).map(([name, amount]) => [name, print(amount)] as const));

const resourcesJson = ({ limits, requests, claims }: Resources = {}, print: PrintQuantity): GoJson =>
  members({
    limits: amounts(limits, print),
    requests: amounts(requests, print),
    claims: claims?.map(({ name, request }) => ({ name, ...members({ request }) })),
  });

const keyRefJson = (ref: { readonly name?: string; readonly key: string; readonly optional?: boolean }): GoJson => ({
  ...members({ name: ref.name }),
  key: ref.key,
  optional: ref.optional,
});

/** Members in the order of Kubernetes' own type, which is that of the annotation. */
const valueFromJson = ({
  fieldRef,
  resourceFieldRef,
  configMapKeyRef,
  secretKeyRef,
}: NonNullable<EnvVar['valueFrom']>): GoJson => ({
  fieldRef: fieldRef && { ...members({ apiVersion: fieldRef.apiVersion }), fieldPath: fieldRef.fieldPath },
  resourceFieldRef: resourceFieldRef && {
    ...members({ containerName: resourceFieldRef.containerName }),
    resource: resourceFieldRef.resource,
    divisor: canonicalQuantity(resourceFieldRef.divisor ?? '0'),
  },
  configMapKeyRef: configMapKeyRef && keyRefJson(configMapKeyRef),
  secretKeyRef: secretKeyRef && keyRefJson(secretKeyRef),
});

const envJson = ({ name, value, valueFrom }: EnvVar): GoJson => ({
  name,
  ...members({ value }),
  valueFrom: valueFrom && valueFromJson(valueFrom),
});

const sourceJson = ({ git, blob, registry, subPath }: SourceConfig): GoJson =>
  members({
    git: git && {
      url: git.url,
      revision: git.revision,
      ...members({ initializeSubmodules: git.initializeSubmodules }),
    },
    blob: blob && { url: blob.url, ...members({ auth: blob.auth, stripComponents: blob.stripComponents }) },
    registry: registry && {
      image: registry.image,
      ...members({ imagePullSecrets: registry.imagePullSecrets?.map(({ name }) => members({ name })) }),
    },
    subPath,
  });

/** As it stands in the buildChanges annotation: `resources` and `source` always, the other three only when not empty. */
export const configJson = (
  { env, resources, services, cnbBindings, source }: BuildConfig,
  print: PrintQuantity = canonicalQuantity,
): GoJson => ({
  ...members({ env: env?.map(envJson) }),
  resources: resourcesJson(resources, print),
  ...members({
    services: services?.map(({ kind, namespace, name, uid, apiVersion, resourceVersion, fieldPath }) =>
      members({ kind, namespace, name, uid, apiVersion, resourceVersion, fieldPath }),
    ),
    cnbBindings: cnbBindings?.map(({ name, metadataRef, secretRef }) => ({
      name,
      metadataRef: members({ name: metadataRef.name }),
      secretRef: secretRef && members({ name: secretRef.name }),
    })),
  }),
  source: sourceJson(source),
});

/** Whether both mean the same build: amounts count by value, empty means absent, the order of lists counts (spec 02 §2.4). */
export const sameConfig = (a: BuildConfig, b: BuildConfig): boolean =>
  goJson(configJson(a, quantityValue)) === goJson(configJson(b, quantityValue));

/** The same without the git revision: that is COMMIT's business. */
export const withoutRevision = (config: BuildConfig): BuildConfig =>
  config.source.git === undefined
    ? config
    : { ...config, source: { ...config.source, git: { ...config.source.git, revision: '' } } };
