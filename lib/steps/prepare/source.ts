/** What the three kinds of source have in common. */
import type { FetchedSource } from '../../builds/source-message.ts';

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
