/** Source from a file on the web: zip, tar, tar.gz, jar (spec 03 §10.3). */
import { join } from 'node:path';
import { ExpectedError, PermanentError } from '../../errors/expected.ts';
import { networkCause } from '../../errors/network-cause.ts';
import { shownUrl } from '../../text/shown-url.ts';
import type { ArchiveLimits } from '../archive/limits.ts';
import { archiveKind, unpackArchive } from '../archive/unpack.ts';
import { pairIn } from '../flags.ts';
import { blobHeaders } from './blob-credentials.ts';
import { download } from './download.ts';
import { writeProjectMetadata } from './project-metadata.ts';
import { type SourceContext, tellLeftOut } from './source.ts';

export interface BlobSource {
  readonly url: string;
  readonly stripComponents: number;
  /** The Build asks for credentials: from `secrets` when there are any, else from the cloud the node runs in. */
  readonly auth: boolean;
  /** `secret=host`. */
  readonly secrets: readonly string[];
}

/** Headers from the cloud's own identity for a URL; undefined when no helper knows it. */
export type BlobHelper = (url: URL, signal: AbortSignal) => Promise<Readonly<Record<string, string>> | undefined>;

export interface BlobOptions {
  readonly helper?: BlobHelper;
  readonly limits?: ArchiveLimits;
}

/** Downloads and unpacks into the workspace, and records url and sha256. */
export async function fetchBlob(source: BlobSource, context: SourceContext, options: BlobOptions = {}): Promise<void> {
  const url = urlFrom(source.url);
  const place = `${url.host}${url.pathname}`;
  const headers = await headersFor(url, source, context, options.helper);
  context.log(`Downloading ${place}...`);
  const file = join(context.scratch, 'blob');
  const sha256sum = await download(url, file, { headers, signal: context.signal });
  const skipped = await unpackArchive(file, await archiveKind(file), {
    into: context.workspace,
    strip: source.stripComponents,
    ...(options.limits && { limits: options.limits }),
  });
  tellLeftOut(skipped, context.log);
  await writeProjectMetadata(context.metadataDir, {
    type: 'blob',
    metadata: { url: shownUrl(url) },
    version: { sha256sum },
  });
  context.fetched?.({ type: 'blob', id: sha256sum });
  context.log(`Successfully downloaded ${place} in path "${context.workspace}"`);
}

function urlFrom(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new PermanentError(
      'InvalidBlobUrl',
      `blob URL ${JSON.stringify(shownUrl(text).slice(0, 200))} is not http or https`,
    );
  }
  return url;
}

async function headersFor(
  url: URL,
  { auth, secrets }: BlobSource,
  { secretsDir, signal, log }: SourceContext,
  helper: BlobHelper | undefined,
): Promise<Readonly<Record<string, string>>> {
  if (!auth) return {};
  try {
    if (secrets.length > 0) {
      log('Loading blob credentials from service account secrets');
      for (const [secret, domain] of secrets.flatMap((flag) => [pairIn(flag) ?? []])) {
        if (secret !== undefined) log(`Loading secrets for "${domain}" from secret "${secret}"`);
      }
      return await blobHeaders(url, secrets, secretsDir);
    }
    log('Loading blob credentials from helpers');
    const found = await helper?.(url, signal);
    if (found === undefined) throw new PermanentError('', `no keychain matched for '${shownUrl(url)}'`);
    return found;
  } catch (error) {
    const why = networkCause(error);
    if (error instanceof ExpectedError) throw new ExpectedError(`failed to resolve creds: ${why}`, { cause: error });
    throw new PermanentError('', `failed to resolve creds: ${why}`, { cause: error });
  }
}
