/**
 * What the step `prepare` fetched, as its termination message says it: the only word on a build's source that no code of the application can
 * write (docs/decisions/0006-whose-pod.md). Where it was fetched from is not repeated: the Build's spec says that.
 */

/** Kinds of source, as kpack's project metadata calls them. */
type SourceType = 'git' | 'blob' | 'image';

/** A source that was fetched. */
export interface FetchedSource {
  readonly type: SourceType;
  /** Hexadecimal: the commit of a git repository, else the SHA-256 of the file or of the image's manifest. */
  readonly id: string;
}

/** More than any message has, characters. */
const longest = 256;

/** The one form that a message has: JSON without spaces. */
const form = /^\{"source":\{"type":"(git|blob|image)","id":"([0-9a-f]{40}|[0-9a-f]{64})"\}\}$/u;

/** The message. */
export const sourceMessage = ({ type, id }: FetchedSource): string => JSON.stringify({ source: { type, id } });

/** What a message says; undefined when it is not the step's. */
export const parseSourceMessage = (message: string): FetchedSource | undefined => {
  const [, type, id] = form.exec(message.slice(0, longest)) ?? [];
  return type === undefined || id === undefined ? undefined : { type: type as SourceType, id };
};
