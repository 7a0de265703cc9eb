/** Signs an image in a registry with one key and puts the signature beside it, as `cosign sign` does (spec 03 §17). */
import type { KeyObject } from 'node:crypto';
import * as v from 'valibot';
import { parseObject } from '../oci/descriptor.ts';
import { type Digest, digestOf, isDigest } from '../oci/digest.ts';
import { invalidContent, isOciError } from '../oci/errors.ts';
import { type DigestReference, type Repository, repositoryOf, type TagReference } from '../oci/reference.ts';
import type { CallOptions, Registry } from '../oci/registry.ts';
import { isSignedBy, signatureOf } from './signature.ts';
import {
  type SignatureLayer,
  signatureAnnotation,
  signatureImage,
  signatureLayer,
  signatureTag,
  signingPayload,
} from './simple-signing.ts';

export interface SignImage extends CallOptions {
  readonly image: DigestReference;
  readonly key: KeyObject;
  readonly annotations: ReadonlyMap<string, string>;
  /** Where to put the signature; the image's own repository unless said (`COSIGN_REPOSITORY`). */
  readonly repository?: Repository | undefined;
  readonly dockerMediaTypes?: boolean | undefined;
}

/** Digest of the image that now holds the signatures. What the same key has signed before is not signed again. @throws OciError */
export async function signImage(registry: Registry, request: SignImage): Promise<Digest> {
  const { image, key, annotations, repository = repositoryOf(image), dockerMediaTypes = false, signal } = request;
  const payload = signingPayload(image, annotations);
  const tag = signatureTag(image.digest, repository);
  const existing = await existingSignatures(registry, tag, { signal });
  const known = existing?.layers.some((layer) => layer.digest === digestOf(payload) && isOurs(layer, payload, key));
  if (existing !== undefined && known === true) return existing.digest;

  const signed = signatureLayer(payload, signatureOf(payload, key));
  const { mediaType, manifest, config } = signatureImage([...(existing?.layers ?? []), signed], dockerMediaTypes);
  for (const content of [payload, config]) await pushContent(registry, repository, content, { signal });
  return await registry.putManifest(tag, { mediaType, bytes: manifest }, { signal });
}

function isOurs(layer: SignatureLayer, payload: Uint8Array, key: KeyObject): boolean {
  return isSignedBy(payload, Buffer.from(layer.annotations[signatureAnnotation] ?? '', 'base64'), key);
}

const manifestSchema = v.object({
  layers: v.array(
    v.object({
      mediaType: v.string(),
      digest: v.custom<Digest>(isDigest),
      size: v.number(),
      annotations: v.optional(v.record(v.string(), v.string()), {}),
    }),
  ),
});

interface Existing {
  readonly digest: Digest;
  readonly layers: readonly SignatureLayer[];
}

async function existingSignatures(
  registry: Registry,
  tag: TagReference,
  call: CallOptions,
): Promise<Existing | undefined> {
  try {
    const { digest, bytes } = await registry.getManifest(tag, call);
    const parsed = v.safeParse(manifestSchema, parseObject(bytes, tag.tag));
    if (!parsed.success) throw invalidContent(`${tag.tag} holds something else than signatures`);
    return { digest, layers: parsed.output.layers };
  } catch (error) {
    if (isOciError(error, 'not-found')) return undefined;
    throw error;
  }
}

/** Puts bytes into a repository, unless they are there. @throws OciError */
export async function pushContent(
  registry: Registry,
  repository: Repository,
  content: Uint8Array,
  call: CallOptions,
): Promise<void> {
  const digest = digestOf(content);
  if (await registry.hasBlob(repository, digest, call)) return;
  const open = async function* (): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(content);
  };
  await registry.pushBlob(repository, { digest, size: content.byteLength, open }, call);
}
