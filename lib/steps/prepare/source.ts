/** What the three kinds of source have in common. */
import type { FetchedSource } from '../../builds/source-message.ts';
import type { Skipped } from '../archive/tar.ts';

/** Folders a source is written to and read from. */
interface SourcePlaces {
  readonly workspace: string;
  readonly secretsDir: string;
  /** Folder of `project-metadata.toml`. */
  readonly metadataDir: string;
  /** For files that are gone when the step ends. */
  readonly scratch: string;
}

export interface SourceContext extends SourcePlaces {
  /** Hears what was fetched, once it is there. */
  readonly fetched?: (source: FetchedSource) => void;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Says that a source is not all of its archive: only files and folders are a source, in kpack too. */
export function tellLeftOut({ skipped }: Skipped, log: (line: string) => void): void {
  if (skipped > 0) log(`warning: ${skipped} links or special files in the archive were left out`);
}
