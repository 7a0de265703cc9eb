/** May we push the result, and may we read the run image? Asked before anything is downloaded (spec 03 §10.1 steps 6 and 8). */
import { PermanentError } from '../../errors/expected.ts';
import { networkCause } from '../../errors/network-cause.ts';
import { createApi, type RegistryOptions } from '../../oci/api.ts';
import { openRegistry } from '../../oci/client.ts';
import { OciError } from '../../oci/errors.ts';
import { discard } from '../../oci/http.ts';
import { parseReference, repositoryOf } from '../../oci/reference.ts';
import { responseError } from '../../oci/response-error.ts';
import { cancel } from '../../oci/upload.ts';
import { sessionFrom } from '../../oci/upload-session.ts';

/** Begins an upload into the tag's repository and abandons it. @throws PermanentError `Error verifying write access to …` */
export async function verifyWriteAccess(tag: string, options: RegistryOptions, signal: AbortSignal): Promise<void> {
  try {
    const repository = repositoryOf(parseReference(tag));
    const api = createApi(options);
    const response = await api.call(repository, {
      method: 'POST',
      to: 'blobs/uploads/',
      actions: ['pull', 'push'],
      signal,
    });
    if (response.status !== 201 && response.status !== 202) {
      throw await responseError('POST', response, api.session.now());
    }
    await discard(response);
    await cancel(api, repository, sessionFrom(response));
  } catch (error) {
    throw new PermanentError('', `Error verifying write access to "${tag}": ${accessFailure(error)}`, { cause: error });
  }
}

/** @throws PermanentError `Error verifying read access to run image …` */
export async function verifyReadAccess(image: string, options: RegistryOptions, signal: AbortSignal): Promise<void> {
  try {
    await openRegistry(options).getManifest(parseReference(image), { signal });
  } catch (error) {
    throw new PermanentError('', `Error verifying read access to run image "${image}": ${accessFailure(error)}`, {
      cause: error,
    });
  }
}

/** kpack's wording: `UNAUTHORIZED` for 401, else the registry's own messages, else the whole error. */
function accessFailure(error: unknown): string {
  if (error instanceof OciError) {
    if (error.status === 401) return 'UNAUTHORIZED';
    if (error.errors.length > 0) return error.errors.map(({ message }) => `${message}. `).join('');
  }
  return networkCause(error);
}
