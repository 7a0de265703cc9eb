/** Where an upload goes on (distribution-spec "Pushing blobs": `Location` may be relative, may change with each answer). */
import { printable } from '../text/printable.ts';
import { ToldUrl } from '../text/shown-url.ts';
import { OciError } from './errors.ts';
import type { HttpResponse } from './http.ts';

/**
 * The `Location` of an answer. A registry behind a TLS proxy often says `http` of itself: that is put right; content meant for https goes
 * nowhere else in the clear. Throws OciError `rejected`.
 */
export const uploadLocation = (response: HttpResponse): URL => {
  const where = { method: 'POST', url: response.url } as const;
  const header = response.headers.get('location');
  if (header === null || !URL.canParse(header, response.url.href))
    throw new OciError('rejected', 'missing Location header', where);
  const location = new ToldUrl(header, response.url);
  if (location.protocol === 'http:' && response.url.protocol === 'https:') {
    if (location.hostname !== response.url.hostname) {
      throw new OciError(
        'rejected',
        `upload refused: from https to http on another host, ${printable(location.host, 256)}`,
        where,
      );
    }
    location.protocol = 'https:';
    location.port = response.url.port;
  }
  if (!/^https?:$/.test(location.protocol)) throw new OciError('rejected', 'missing Location header', where);
  return location;
};

/** An upload the registry has opened. */
export interface UploadSession {
  readonly location: URL;
  /** Smallest piece it takes, from `OCI-Chunk-Min-Length`, in bytes. */
  readonly minChunkBytes: number;
}

/** The session an answer to POST opens. Throws OciError `rejected` without a usable location. */
export const sessionFrom = (response: HttpResponse): UploadSession => ({
  location: uploadLocation(response),
  minChunkBytes: Math.max(Number(response.headers.get('oci-chunk-min-length')) || 0, 0),
});
