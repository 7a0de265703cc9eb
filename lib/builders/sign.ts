/** Signs a pushed builder with every cosign key of the builder's account (spec 04 §8.8). */
import type { Secret } from 'kubernetes-types/core/v1.d.ts';
import type { CosignSignature } from '../api/signing.ts';
import { mapBounded } from '../buildpacks/bounded.ts';
import type { Account } from '../buildpacks/offers.ts';
import { ExpectedError, PermanentError } from '../errors/expected.ts';
import type { KubeClient } from '../kube/client.ts';
import type { KubeObject } from '../kube/object.ts';
import { type DigestReference, printRepository, repositoryOf } from '../oci/reference.ts';
import type { Registry } from '../oci/registry.ts';
import { openKeySecret } from '../signing/key-secret.ts';
import { signImage } from '../signing/sign-image.ts';

interface ServiceAccount extends KubeObject {
  readonly secrets?: readonly { readonly name?: string | undefined }[] | undefined;
}

const secretsAtOnce = 4;

/** Secrets with a key and its password, which may be empty, in the order the account names them; what is missing is passed over. */
const keySecrets = async (kube: KubeClient, { namespace, serviceAccount }: Account): Promise<readonly Secret[]> => {
  const account = await kube.get<ServiceAccount>({ kind: 'ServiceAccount', namespace, name: serviceAccount });
  const names = (account?.secrets ?? []).flatMap(({ name }) => (name ? [name] : []));
  const secrets = await mapBounded(names, secretsAtOnce, (name) =>
    kube.get<Secret>({ kind: 'Secret', namespace, name }),
  );
  return secrets.flatMap((secret) =>
    secret?.data?.['cosign.key'] !== undefined && secret.data['cosign.password'] !== undefined ? [secret] : [],
  );
};

const signWith = async (
  secret: Secret,
  registry: Registry,
  image: DigestReference,
  signal: AbortSignal,
): Promise<CosignSignature> => {
  const { name = '', namespace = '' } = secret.metadata ?? {};
  const { key, repository = repositoryOf(image), dockerMediaTypes } = await openKeySecret(secret);
  const digest = await signImage(registry, {
    image,
    key,
    annotations: new Map(),
    repository,
    dockerMediaTypes,
    signal,
  });
  return { signingSecret: `k8s://${namespace}/${name}`, targetDigest: `${printRepository(repository)}@${digest}` };
};

/** The same failure, with the Secret named. A bad key is looked at again slowly: nobody tells us when a Secret is put right. */
const namingSecret = (error: unknown, { metadata }: Secret): unknown => {
  const { name = '', namespace = '' } = metadata ?? {};
  const say = (why: string): string =>
    `unable to sign image with specified key from secret ${name} in namespace ${namespace}: ${why}`;
  if (error instanceof PermanentError) return new ExpectedError(say(error.message), { pace: 'slow', cause: error });
  if (!(error instanceof ExpectedError)) return error;
  const { pace, retryAfterSeconds, host } = error;
  return new ExpectedError(say(error.message), { pace, retryAfterSeconds, host, cause: error });
};

/**
 * A signature by every key, one after the other; none when the account has no key. What a key has signed before is not signed again. Throws
 * ExpectedError, naming the Secret.
 */
export const signBuilder = async (
  kube: KubeClient,
  account: Account,
  registry: Registry,
  image: DigestReference,
  signal: AbortSignal,
): Promise<readonly CosignSignature[]> => {
  const signatures: CosignSignature[] = [];
  for (const secret of await keySecrets(kube, account)) {
    try {
      signatures.push(await signWith(secret, registry, image, signal));
    } catch (error) {
      throw namingSecret(error, secret);
    }
  }
  return signatures;
};
