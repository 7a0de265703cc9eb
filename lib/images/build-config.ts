/** The part of an Image whose change means a rebuild with reason CONFIG, in kpack's own serialisation (spec 02 §4.2, §4.3). */
import type { Build } from '../api/build.ts';
import type { Image } from '../api/image.ts';
import type { ResourceAmounts, Resources } from '../api/pod-fields.ts';
import type { SourceConfig } from '../api/source-config.ts';
import type { GoJson } from '../text/go-json.ts';
import { canonicalQuantity } from '../text/quantity.ts';

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

const amounts = (given: ResourceAmounts | undefined): GoJson =>
  given === undefined || Object.keys(given).length === 0
    ? undefined
    : Object.fromEntries(
        Object.entries(given)
          .toSorted(([a], [b]) => (a < b ? -1 : 1))
          .map(([name, amount]) => [name, canonicalQuantity(amount)]),
      );

const resourcesJson = ({ limits, requests, claims }: Resources = {}): GoJson =>
  members({
    limits: amounts(limits),
    requests: amounts(requests),
    claims: claims?.map(({ name, request }) => ({ name, ...members({ request }) })),
  });

/** Plain data from the API, its keys in the given order first, unknown ones after. */
const ordered = (value: unknown, order: readonly string[]): GoJson => {
  const entries = Object.entries((value ?? {}) as Record<string, GoJson>);
  const rank = (key: string): number => (order.includes(key) ? order.indexOf(key) : order.length);
  return members(Object.fromEntries(entries.toSorted(([a], [b]) => rank(a) - rank(b))));
};

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

const reference = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'];

/** As it stands in the buildChanges annotation: `resources` and `source` always, the other three only when not empty. */
export const configJson = ({ env, resources, services, cnbBindings, source }: BuildConfig): GoJson => ({
  ...members({
    env: env?.map((variable) => ordered(variable, ['name', 'value', 'valueFrom'])),
  }),
  resources: resourcesJson(resources),
  ...members({
    services: services?.map((service) => ordered(service, reference)),
    cnbBindings: cnbBindings?.map(({ name, metadataRef, secretRef }) => ({
      name,
      metadataRef: { name: metadataRef.name },
      ...(secretRef === undefined ? {} : { secretRef: { name: secretRef.name } }),
    })),
  }),
  source: sourceJson(source),
});

/** The same without the git revision: that is COMMIT's business. */
export const withoutRevision = (config: BuildConfig): BuildConfig =>
  config.source.git === undefined
    ? config
    : { ...config, source: { ...config.source, git: { ...config.source.git, revision: '' } } };
