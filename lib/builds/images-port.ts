/** Images of registries, read, rebased and signed as somebody. */
import type { Acting } from '../buildpacks/opening.ts';
import type { KubeClient } from '../kube/client.ts';
import type { SigningKey } from '../signing/key-secret.ts';

/** The part of an image's config that is looked at; of an index, the linux/amd64 image's. */
export interface ImageFacts {
  /** `sha256:…` of what the reference names. */
  readonly digest: string;
  readonly os: string;
  /** `NAME=value`. */
  readonly env: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

/** One rebase in the registry. */
export interface RebaseRequest {
  /** The image to rebase, by digest. */
  readonly image: string;
  readonly runImage: string;
  /** All of them get the result; the first names it. */
  readonly tags: readonly string[];
}

/** One signature in the registry. */
export interface SignRequest {
  /** With its digest. */
  readonly image: string;
  readonly key: SigningKey;
  readonly annotations: ReadonlyMap<string, string>;
}

/** What one pass hands to a call: the cluster's API for credentials, and the end of its budget. */
export interface CallContext {
  readonly cluster: string;
  readonly kube: KubeClient;
  readonly signal: AbortSignal;
}

/** Images, each call within its own deadline and on behalf of the Build that it is for. Failures are OciError, what can never work is PermanentError. */
export interface Images {
  read(reference: string, as: Acting, context: CallContext): Promise<ImageFacts>;
  rebase(request: RebaseRequest, as: Acting, context: CallContext): Promise<ImageFacts>;
  /** What the key has signed before is not signed again. */
  sign(request: SignRequest, as: Acting, context: CallContext): Promise<void>;
}
