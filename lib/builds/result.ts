/** What a Build made, from wherever it can still be learnt (spec 02 §6.5; DESIGN §4: a Build always reaches a final state). */
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import type { Build } from '../api/build.ts';
import { ExpectedError } from '../errors/expected.ts';
import { isOciError } from '../oci/errors.ts';
import { parseRepository, printRepository } from '../oci/reference.ts';
import type { CallContext, ImageFacts, Images } from './images-port.ts';
import { accountOf } from './inputs/builder-of.ts';
import { type BuildMetadata, parseBuildMetadata, type SaidMetadata } from './metadata.ts';
import { metadataFromImage } from './metadata-from-image.ts';
import { firstTag } from './pod/build-facts.ts';
import { completionStatus } from './steps.ts';

/** A tag that only this Build pushes to: `…b<number>.<date>.<time>` (spec 01 §6.3). */
const numbered = /[:-]b\d+\.\d{8}\.\d{6}$/;

/** The tag that no other Build moves; undefined with tagging strategy `None` or tags made by hand. */
const ownTag = (build: Build): string | undefined => build.spec.tags.find((tag) => numbered.test(tag));

/** The tag that is asked what the Build made. Throws PermanentError without any. */
export const resultTag = (build: Build): string => ownTag(build) ?? firstTag(build);

/** What the image itself says, named as the completion step would: repository of the first tag, digest of what was pushed. */
export const resultFromImage = (build: Build, { digest, labels }: ImageFacts, latestCacheImage = ''): BuildMetadata =>
  metadataFromImage(labels, {
    latestImage: `${printRepository(parseRepository(firstTag(build)))}@${digest}`,
    latestCacheImage,
  });

/** The pushed image, read from the registry as the Build's own account. Throws OciError when it is not there or cannot be read. */
const resultFromRegistry = async (build: Build, images: Images, call: CallContext): Promise<BuildMetadata> =>
  resultFromImage(build, await images.read(resultTag(build), accountOf(build), call));

/** Failed passes after which we stop asking a registry that does not answer, about twenty minutes. */
const patience = 6;

/** A message that had to leave things out names the image, and its labels have the rest. */
const completed = async (
  build: Build,
  said: SaidMetadata,
  images: Images,
  call: CallContext,
): Promise<BuildMetadata> => {
  if (said.isPartial === undefined) return said;
  const { labels } = await images.read(said.latestImage, accountOf(build), call);
  return metadataFromImage(labels, said);
};

/** What a pod made that ended well: as its completion step said, or when that message is lost, as the image says. */
export const resultOf = async (
  build: Build,
  pod: Pod,
  images: Images,
  pass: CallContext & { readonly attempts: number },
): Promise<BuildMetadata | { readonly unknown: string }> => {
  const said = parseBuildMetadata(completionStatus(pod)?.state?.terminated?.message);
  try {
    return said === undefined
      ? await resultFromRegistry(build, images, pass)
      : await completed(build, said, images, pass);
  } catch (error) {
    if (!(error instanceof ExpectedError) || pass.attempts < patience) throw error;
    return said ?? { unknown: error.message };
  }
};

/** Whether a lost pod may have pushed the image: some tag tells this Build's image from every other. */
const mayHavePushed = (build: Build): boolean =>
  ownTag(build) !== undefined ||
  (build.status?.stepsCompleted ?? []).some((step) => step === 'export' || step === 'rebase');

/** What a pod made that is gone; undefined when it pushed nothing, or when the registry does not say for too long. */
export const resultAfterLoss = async (
  build: Build,
  images: Images,
  pass: CallContext & { readonly attempts: number },
): Promise<BuildMetadata | undefined> => {
  if (!mayHavePushed(build)) return undefined;
  try {
    return await resultFromRegistry(build, images, pass);
  } catch (error) {
    if (isOciError(error, 'not-found')) return undefined;
    if (!(error instanceof ExpectedError) || pass.attempts < patience) throw error;
    return undefined;
  }
};
