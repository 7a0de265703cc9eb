/**
 * kpack's admission written down a second time, from spec 01 §7 and with no part of our rules: an oracle for manifests that nobody recorded. It says
 * the first fault it finds. Where we refuse more on purpose it says so, too: a variable from a ConfigMap, a SourceResolver without a source.
 */
import type { Kind } from '../../lib/api/kinds.ts';

type Members = Readonly<Record<string, unknown>>;

const isMembers = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const members = (value: unknown): Members => (isMembers(value) ? value : {});
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const isThere = (value: unknown): boolean => value !== undefined && value !== null;

const registryOf = (name: string): string => {
  const [first = '', ...rest] = name.split('/');
  if (rest.length === 0 || !/[.:]/.test(first)) return 'index.docker.io';
  return first === 'docker.io' ? 'index.docker.io' : first;
};

/** What Go's URL parser takes as a host. */
const isHost = (host: string): boolean => {
  if (/[\p{Cc} %/?#@^{|}`\\]/u.test(host)) return false;
  const colon = host.startsWith('[') ? host.indexOf(':', host.lastIndexOf(']')) : host.lastIndexOf(':');
  return colon < 0 || /^\d*$/.test(host.slice(colon + 1));
};

const isRepository = (name: string): boolean => {
  const [first = '', ...rest] = name.split('/');
  const isNamed = rest.length > 0 && /[.:]/.test(first);
  const path = isNamed ? rest.join('/') : name;
  return /^[a-z0-9_./-]{2,255}$/.test(path) && (!isNamed || isHost(first));
};

const isTag = (name: string): boolean => {
  const colon = name.lastIndexOf(':');
  if (colon < 0 || name.includes('/', colon)) return isRepository(name);
  return /^[\w.-]{1,128}$/.test(name.slice(colon + 1)) && isRepository(name.slice(0, colon));
};

const isReference = (name: string): boolean => {
  if (isTag(name)) return true;
  const [base = '', digest = '', ...more] = name.split('@');
  return more.length === 0 && /^sha256:[0-9a-f]{64}$/.test(digest) && (isTag(base) || isRepository(base));
};

type Faults = Iterable<string | false>;

const isEmpty = (value: unknown): boolean => text(value) === '';

function* sourceFaults(source: unknown): Faults {
  const { git, blob, registry } = members(source);
  const present = [git, blob, registry].filter(isThere);
  yield present.length !== 1 && `${present.length} sources`;
  if (isThere(git)) yield (isEmpty(members(git)['url']) || isEmpty(members(git)['revision'])) && 'git';
  if (isThere(blob)) {
    const { url, auth, stripComponents } = members(blob);
    yield (isEmpty(url) || !['', 'helper', 'secret'].includes(text(auth))) && 'blob';
    yield typeof stripComponents === 'number' && stripComponents < 0 && 'stripComponents';
  }
  if (isThere(registry)) yield !isReference(text(members(registry)['image'])) && 'registry.image';
}

function* serviceFaults(services: unknown): Faults {
  const all = list(services).map(members);
  for (const { name, kind } of all) yield (!/^[a-z0-9.-]{1,253}$/.test(text(name)) || isEmpty(kind)) && 'service';
  yield new Set(all.map(({ name }) => text(name))).size < all.length && 'two services of one name';
}

function* podFaults(fields: Members): Faults {
  yield Object.hasOwn(members(fields['nodeSelector']), 'kubernetes.io/os') && 'nodeSelector';
  yield* serviceFaults(fields['services']);
  yield list(fields['cnbBindings']).length > 0 && 'cnbBindings';
  for (const variable of list(fields['env'])) {
    const from = members(members(variable)['valueFrom']);
    yield ['secretKeyRef', 'configMapKeyRef', 'fileKeyRef'].some((kind) => isThere(from[kind])) && 'env';
  }
}

const bothCaches = (cache: unknown): string | false =>
  isThere(members(cache)['volume']) && isThere(members(cache)['registry']) && 'two caches';

function* imageFaults(spec: Members): Faults {
  const tag = text(spec['tag']);
  yield !isTag(tag) && 'tag';
  for (const other of list(spec['additionalTags'])) {
    yield !isTag(text(other)) && 'additionalTags';
    yield registryOf(text(other)) !== registryOf(tag) && 'another registry';
  }
  const { name, kind } = members(spec['builder']);
  yield (isEmpty(name) || !['Builder', 'ClusterBuilder'].includes(text(kind))) && 'builder';
  yield* sourceFaults(spec['source']);
  const build = members(spec['build']);
  yield* podFaults(build);
  yield !/^(?:|now|[+-]?\d{1,18})$/.test(text(build['creationTime'])) && 'creationTime';
  yield bothCaches(spec['cache']);
  yield isThere(spec['notary']) && 'notary';
  for (const annotation of list(members(spec['cosign'])['annotations']))
    yield (isEmpty(members(annotation)['name']) || isEmpty(members(annotation)['value'])) && 'cosign';
  for (const limit of [spec['failedBuildHistoryLimit'], spec['successBuildHistoryLimit']])
    yield typeof limit === 'number' && limit < 1 && 'history limit';
}

function* buildFaults(spec: Members): Faults {
  yield list(spec['tags']).length === 0 && 'tags';
  for (const tag of list(spec['tags'])) yield !isTag(text(tag)) && 'tag';
  yield bothCaches(spec['cache']);
  const { image, ref } = members(spec['builder']);
  yield isEmpty(image) === !isThere(ref) && 'builder';
  yield !isEmpty(image) && !isReference(text(image)) && 'builder.image';
  yield isThere(ref) && (isEmpty(members(ref)['name']) || isEmpty(members(ref)['kind'])) && 'builder.ref';
  yield* sourceFaults(spec['source']);
  yield* podFaults(spec);
  const last = text(members(spec['lastBuild'])['image']);
  yield last !== '' && !isReference(last) && 'lastBuild.image';
  yield isThere(spec['notary']) && 'notary';
}

function* builderFaults(spec: Members, implied: readonly string[]): Faults {
  yield !isTag(text(spec['tag'])) && 'tag';
  const stack = members(spec['stack']);
  yield (isEmpty(stack['name']) || !['ClusterStack', ...implied].includes(text(stack['kind']))) && 'stack';
  const store = members(spec['store']);
  const isLeftOut = isEmpty(store['name']) && isEmpty(store['kind']);
  yield !isLeftOut && !['ClusterStore', ...implied].includes(text(store['kind'])) && 'store';
  for (const entry of [...list(spec['order']), ...list(spec['orderExtensions'])])
    for (const buildpack of list(members(entry)['group'])) {
      const { id, kind, name, image } = members(buildpack);
      const isNamed = !isEmpty(kind) || !isEmpty(name);
      yield isNamed && !['Buildpack', 'ClusterBuildpack'].includes(text(kind)) && 'order: kind';
      yield !isEmpty(image) && 'order: image';
      yield !isNamed && isEmpty(id) && 'order: nothing';
    }
}

function* accountFaults(account: unknown, isRequired: boolean): Faults {
  if (!isRequired && !isThere(account)) return;
  yield (isEmpty(members(account)['name']) || isEmpty(members(account)['namespace'])) && 'serviceAccountRef';
}

function* imageOf(spec: Members, isParsed: boolean): Faults {
  yield (isParsed ? !isReference(text(spec['image'])) : isEmpty(spec['image'])) && 'image';
}

const faultsOf: Readonly<Record<Kind, (spec: Members) => Faults>> = {
  Image: imageFaults,
  Build: buildFaults,
  *SourceResolver(spec) {
    yield !isThere(spec['source']) && 'source';
  },
  Builder: (spec) => builderFaults(spec, ['']),
  *ClusterBuilder(spec) {
    yield* accountFaults(spec['serviceAccountRef'], true);
    yield* builderFaults(spec, []);
  },
  Buildpack: (spec) => imageOf(spec, true),
  *ClusterBuildpack(spec) {
    yield* accountFaults(spec['serviceAccountRef'], false);
    yield* imageOf(spec, true);
  },
  *ClusterStore(spec) {
    yield* accountFaults(spec['serviceAccountRef'], false);
    yield list(spec['sources']).length === 0 && 'sources';
    for (const source of list(spec['sources'])) yield* imageOf(members(source), true);
  },
  *ClusterStack(spec) {
    yield* accountFaults(spec['serviceAccountRef'], false);
    yield isEmpty(spec['id']) && 'id';
    yield* imageOf(members(spec['buildImage']), true);
    yield* imageOf(members(spec['runImage']), true);
  },
  *ClusterLifecycle(spec) {
    yield* accountFaults(spec['serviceAccountRef'], false);
    yield* imageOf(spec, false);
  },
};

/** The first fault that kpack finds in a spec whose types are right; undefined where it takes it. */
export const faultIn = (kind: Kind, spec: unknown): string | undefined => {
  for (const fault of faultsOf[kind](members(spec))) if (fault !== false) return fault;
  return undefined;
};
