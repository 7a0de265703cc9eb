/**
 * Signatures of an image that was rebased in the registry, made as the completion step makes them in a pod: with the keys of the Build's own
 * ServiceAccount, in the order of their names (spec 03 §17.1).
 */
import type { Secret } from 'kubernetes-types/core/v1.d.ts';
import type { Build } from '../api/build.ts';
import { buildNumberLabel } from '../api/labels.ts';
import { ExpectedError, PermanentError } from '../errors/expected.ts';
import type { KubeClient } from '../kube/client.ts';
import { isOciError } from '../oci/errors.ts';
import { openKeySecret, type SigningKey } from '../signing/key-secret.ts';
import type { CallContext, Images } from './images-port.ts';
import { accountOf } from './inputs/builder-of.ts';
import { buildTimestamp } from './pod/build-facts.ts';
import type { PodContext } from './pod/context.ts';

/** The keys, none when nothing is to be signed; or why they can be used in the pod at best. */
export type KeysOfBuild = readonly SigningKey[] | { readonly because: string };

/**
 * Opens every key of the account, one after the other, as each takes some 50 MB for a moment. A key that is none to us, such as the name of
 * one in a KMS, is left to the pod, whose completion step may be another program than ours. Throws ExpectedError when a Secret is gone.
 */
export const keysOf = async (build: Build, { secrets }: PodContext, kube: KubeClient): Promise<KeysOfBuild> => {
  const namespace = build.metadata.namespace ?? '';
  const names = secrets.flatMap(({ name, signsImages }) => (signsImages ? [name] : [])).sort();
  const keys: SigningKey[] = [];
  for (const name of names) {
    const secret = await kube.get<Secret>({ kind: 'Secret', namespace, name });
    if (secret === undefined) throw new ExpectedError(`Secret ${namespace}/${name}, which signs the image, is gone`);
    try {
      keys.push(await openKeySecret(secret));
    } catch (error) {
      if (!(error instanceof PermanentError)) throw error;
      return { because: `the image is signed with Secret ${name}, which can only be used there: ${error.message}` };
    }
  }
  return keys;
};

/** What the signatures of a Build's image say beside its digest: when it was created, its number, what its author adds. */
const annotationsOf = (build: Build, now: Date): ReadonlyMap<string, string> =>
  new Map([
    ['buildTimestamp', buildTimestamp(build, now)],
    ['buildNumber', build.metadata.labels?.[buildNumberLabel] ?? ''],
    ...(build.spec.cosign?.annotations ?? []).flatMap(({ name = '', value = '' }) =>
      name === '' ? [] : [[name, value] as const],
    ),
  ]);

/**
 * Signs the image, named with its digest, with each key; what a key has signed before is not signed again. Throws OciError while trying again
 * or another program's credentials may help, PermanentError in the completion step's words when neither will.
 */
export const signRebased = async (
  build: Build,
  image: string,
  keys: readonly SigningKey[],
  images: Images,
  call: CallContext & { readonly now: Date },
): Promise<void> => {
  const annotations = annotationsOf(build, call.now);
  for (const key of keys) {
    try {
      await images.sign({ image, key, annotations }, accountOf(build), call);
    } catch (error) {
      const final = ['not-found', 'rejected', 'immutable', 'invalid-content'] as const;
      if (!final.some((code) => isOciError(error, code)) || !(error instanceof Error)) throw error;
      const why = `cosign sign: unable to sign image with the key of Secret ${key.secret}: ${error.message}`;
      throw new PermanentError('', why, { cause: error });
    }
  }
};
