/**
 * What an image was made from, as provenance names it, from what no code of the application can write: the Build's spec says where it came from,
 * the step that fetched it what it was (docs/decisions/0006-whose-pod.md). Labels of the image say the same, and prove nothing. Pure.
 */
import type { ContainerStatus, Pod } from 'kubernetes-types/core/v1.d.ts';
import type { Build } from '../api/build.ts';
import { PermanentError } from '../errors/expected.ts';
import { parseReference, printRepository } from '../oci/reference.ts';
import type { ResourceDescriptor } from '../signing/provenance.ts';
import { shownUrl } from '../text/shown-url.ts';
import { type FetchedSource, parseSourceMessage } from './source-message.ts';
import { containerStatuses, initStatuses } from './steps.ts';

const unknown = (why: string): PermanentError => new PermanentError('AttestationFailed', why);

/** The status of the step that fetches the source; a regular container where sidecars are injected. */
export const prepareStatus = (pod: Pod): ContainerStatus | undefined =>
  [...initStatuses(pod), ...containerStatuses(pod)].find(({ name }) => name === 'prepare');

/** Where the spec has the source from. Git goes before blob, blob before registry, as in the pod. */
const placeOf = ({ source: { git, blob, registry } }: Build['spec']): Pick<FetchedSource, 'type'> & { uri: string } => {
  if (git !== undefined) return { type: 'git', uri: shownUrl(git.url) };
  if (blob !== undefined) return { type: 'blob', uri: shownUrl(blob.url) };
  if (registry === undefined) throw unknown('the Build names no source');
  return { type: 'image', uri: printRepository(parseReference(registry.image)) };
};

const commit = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/iu;

/** The source that `prepare` fetched. @throws PermanentError when the step does not say it, or says something else than was asked for */
export const sourceMaterial = ({ spec }: Build, pod: Pod): ResourceDescriptor => {
  const ended = prepareStatus(pod)?.state?.terminated;
  const fetched = ended?.exitCode === 0 ? parseSourceMessage(ended.message ?? '') : undefined;
  if (fetched === undefined) throw unknown('the step prepare does not say what it fetched');
  const { type, uri } = placeOf(spec);
  const asked = type === 'git' ? (spec.source.git?.revision ?? '') : '';
  if (fetched.type !== type || (commit.test(asked) && asked.toLowerCase() !== fetched.id))
    throw unknown('the step prepare says that it fetched another source than the Build names');
  return { name: 'source', uri, digest: fetched.id.length === 40 ? { sha1: fetched.id } : { sha256: fetched.id } };
};

/** The image that was put on another run image. Its own provenance says what it was built from. @throws PermanentError */
export const previousImage = ({ spec }: Build): ResourceDescriptor => {
  const image = parseReference(spec.lastBuild?.image ?? '');
  if (image.digest === undefined) throw unknown('spec.lastBuild.image, which was rebased, has no digest');
  return {
    name: 'previous-image',
    uri: printRepository(image),
    digest: { sha256: image.digest.replace('sha256:', '') },
  };
};
