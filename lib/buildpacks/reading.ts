/**
 * The one way of the five kinds that read images and report what they found: ClusterStore, ClusterStack, ClusterLifecycle, Buildpack and
 * ClusterBuildpack (spec 04 §2). Their folders say what differs. A failed read keeps the last good status (DESIGN §4).
 */
import type { Condition } from '../api/condition.ts';
import { ExpectedError, PermanentError } from '../errors/expected.ts';
import { type Digest, digestOf } from '../oci/digest.ts';
import { parseReference } from '../oci/reference.ts';
import type { Registry } from '../oci/registry.ts';
import { condition, isTrue, withTransitionTimes } from '../reconcile/conditions.ts';
import { again, type Outcome, settled } from '../reconcile/outcome.ts';
import type { Reconcilable, Reconciler } from '../reconcile/reconciler.ts';
import { mapBounded } from './bounded.ts';
import { type ConfigCache, type FetchedImage, fetchImage } from './fetch-image.ts';
import type { Account } from './offers.ts';
import { behalfOf, type OpenRegistry } from './opening.ts';

/** What these reconcilers need from outside. */
export interface ImageReaderPorts {
  readonly registryFor: OpenRegistry;
  readonly configs: ConfigCache;
  /** How often tags are looked at again, in seconds. */
  readonly pollSeconds: number;
}

interface ReadStatus {
  readonly observedGeneration?: number | undefined;
  readonly conditions?: readonly Condition[] | undefined;
}

type ReadingObject = Reconcilable & { readonly status?: ReadStatus | undefined };
type Fields<T extends ReadingObject> = Omit<NonNullable<T['status']>, keyof ReadStatus>;

/** What one kind reads. */
export interface Reading<T extends ReadingObject> {
  readonly kind: string;
  /** References as the spec has them. */
  readonly images: (object: T) => readonly string[];
  readonly account: (object: T) => Account;
  /** The status without conditions, of the images in the order of `images`. Throws PermanentError. */
  readonly resolved: (object: T, images: readonly FetchedImage[]) => Fields<T>;
  /** What kpack writes when nothing was ever resolved. */
  readonly unresolved: Fields<T>;
}

/** Sources read at once: enough to be quick, few enough for a registry that counts. */
const readsAtOnce = 8;

const statusOf = <T extends ReadingObject>(object: T, fields: Fields<T>, ready: Condition, now: Date): T['status'] => ({
  ...fields,
  observedGeneration: object.metadata?.generation ?? 0,
  conditions: withTransitionTimes([ready], object.status?.conditions, now),
});

/** Moves when the same images would give another status than before, so that nobody keeps what an older release read. */
const readersVersion = 3;

/** One text for everything the result depends on: the spec and what its references name. */
const fingerprint = (generation: number, images: readonly string[], digests: readonly (Digest | undefined)[]): Digest =>
  digestOf(JSON.stringify([readersVersion, generation, images, digests]));

/** What the references name now; undefined where only reading can tell. */
const namedDigests = async (registry: Registry, images: readonly string[], signal: AbortSignal) => {
  try {
    return await mapBounded(images, readsAtOnce, async (image) => {
      const reference = parseReference(image);
      return reference.digest ?? (await registry.headManifest(reference, { signal }))?.digest;
    });
  } catch {
    // The read that follows fails the same way, with the registry's own words: HEAD has no body to say them in.
    return [];
  }
};

/** Content that will not do is looked at again, unless it cannot change: somebody may push a better image under the tag. */
const resolvedOrLater = <T extends ReadingObject>(
  reading: Reading<T>,
  object: T,
  found: readonly FetchedImage[],
  next: Outcome,
): Fields<T> => {
  try {
    return reading.resolved(object, found);
  } catch (error) {
    if (!(error instanceof PermanentError) || next.done) throw error;
    throw new ExpectedError(error.message, { pace: 'slow', cause: error });
  }
};

const byDigest = (image: string): boolean => image.includes('@');

/** The reconciler of one kind that reads images. */
export const imageReader = <T extends ReadingObject>(
  reading: Reading<T>,
  { registryFor, configs, pollSeconds }: ImageReaderPorts,
): Reconciler<T> => ({
  kind: reading.kind,

  reconcile: async (object, pass) => {
    const account = reading.account(object);
    await pass.dependOn(
      account.namespace === ''
        ? []
        : [{ kind: 'ServiceAccount', namespace: account.namespace, name: account.serviceAccount || 'default' }],
    );
    const images = reading.images(object);
    const next: Outcome = images.every(byDigest) ? settled : again(pollSeconds, 'tags may move');
    const behalf = behalfOf(reading.kind, object.metadata?.namespace);
    const registry = await registryFor(pass.kube, account, { behalf, access: 'read' });

    const generation = object.metadata?.generation ?? 0;
    const upToDate = isTrue(object, 'Ready') && object.status?.observedGeneration === generation;
    if (upToDate && pass.memory !== undefined) {
      const digests = await namedDigests(registry, images, pass.signal);
      if (fingerprint(generation, images, digests) === pass.memory) return next;
    }

    const found = await mapBounded(images, readsAtOnce, (image) =>
      fetchImage(registry, image, configs, { signal: pass.signal }),
    );
    const fields = resolvedOrLater(reading, object, found, next);
    await pass.writeStatus(object, statusOf(object, fields, condition('Ready', 'True'), pass.now));
    pass.remember(
      fingerprint(
        generation,
        images,
        found.map(({ namedDigest }) => namedDigest),
      ),
    );
    return next;
  },

  statusOnFailure: (object, failure: ExpectedError | PermanentError, now) =>
    statusOf<T>(
      object,
      { ...reading.unresolved, ...object.status },
      condition('Ready', 'False', '', failure.message),
      now,
    ),
});
