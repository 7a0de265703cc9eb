/** Which builder image a Build uses, and as whom it is read (spec 03 §1.3). */
import type { Build } from '../../api/build.ts';
import type { Builder } from '../../api/builder.ts';
import type { ClusterBuilder } from '../../api/cluster-builder.ts';
import { builderServiceAccount, defaultServiceAccount } from '../../api/defaults.ts';
import { type Acting, behalfOf } from '../../buildpacks/opening.ts';
import { PermanentError } from '../../errors/expected.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Dependency } from '../../state/keys.ts';
import { builderPullSecrets } from '../pod/build-facts.ts';
import { Waiting } from '../waiting.ts';

/** A builder image and the account that may read it, for the Build. */
export interface BuilderOfBuild {
  readonly image: string;
  readonly account: Acting;
}

/** The builder object that a Build refers to; undefined when it names an image. */
export const builderReference = ({ spec: { builder } }: Build): Dependency | undefined =>
  builder.ref === undefined
    ? undefined
    : {
        kind: builder.ref.kind,
        namespace: builder.ref.kind === 'Builder' ? (builder.ref.namespace ?? '') : '',
        name: builder.ref.name,
      };

/** The Build's own account, with the builder's pull secrets. */
export const accountOf = (build: Build): Acting => ({
  behalf: behalfOf('Build', build.metadata.namespace),
  namespace: build.metadata.namespace ?? '',
  serviceAccount: build.spec.serviceAccountName,
  imagePullSecrets: builderPullSecrets(build),
});

const latestImage = (
  prefix: string,
  name: string,
  status: { readonly latestImage?: string | undefined } | undefined,
) => {
  const image = status?.latestImage ?? '';
  if (image === '')
    throw new Waiting('BuilderNotReady', `${prefix}: ${name} has no latestImage yet; see its conditions`);
  return image;
};

const clusterBuilder = async (name: string, build: Build, kube: KubeClient): Promise<BuilderOfBuild> => {
  const prefix = 'unable to resolve cluster builder image';
  const builder = await kube.get<ClusterBuilder>({ kind: 'ClusterBuilder', namespace: '', name });
  if (builder === undefined)
    throw new Waiting('BuilderNotReady', `${prefix}: clusterbuilders.kpack.io "${name}" not found`);
  const account = builder.spec.serviceAccountRef;
  return {
    image: latestImage(prefix, `ClusterBuilder ${name}`, builder.status),
    account: {
      behalf: behalfOf('Build', build.metadata.namespace),
      namespace: account?.namespace ?? '',
      serviceAccount: account?.name || defaultServiceAccount,
    },
  };
};

/** A Builder of another namespace is read as the Build itself: what that namespace's accounts may do is not the Build's to use. */
const namespacedBuilder = async (
  namespace: string,
  name: string,
  build: Build,
  kube: KubeClient,
): Promise<BuilderOfBuild> => {
  const prefix = 'unable to resolve builder image';
  if (namespace === '')
    throw new PermanentError(
      '',
      `${prefix}: spec.builder.ref.namespace is empty: name the namespace of Builder ${name}`,
    );
  const builder = await kube.get<Builder>({ kind: 'Builder', namespace, name });
  if (builder === undefined)
    throw new Waiting('BuilderNotReady', `${prefix}: builders.kpack.io "${name}" not found in namespace ${namespace}`);
  return {
    image: latestImage(prefix, `Builder ${namespace}/${name}`, builder.status),
    account:
      namespace === build.metadata.namespace
        ? { behalf: behalfOf('Build', namespace), namespace, serviceAccount: builderServiceAccount(builder.spec) }
        : accountOf(build),
  };
};

/**
 * The builder image as named, or the latest image of the builder referred to. Throws Waiting while that has none, PermanentError for a
 * reference that can mean nothing.
 */
export const builderOf = async (build: Build, kube: KubeClient): Promise<BuilderOfBuild> => {
  const reference = builderReference(build);
  if (reference === undefined) {
    const image = build.spec.builder.image ?? '';
    if (image === '') throw new PermanentError('', 'spec.builder names neither image nor ref: name exactly one');
    return { image, account: accountOf(build) };
  }
  switch (reference.kind) {
    case 'ClusterBuilder':
      return clusterBuilder(reference.name, build, kube);
    case 'Builder':
      return namespacedBuilder(reference.namespace, reference.name, build, kube);
    default:
      throw new PermanentError('', `unable to parse builder kind "${reference.kind}"`);
  }
};
