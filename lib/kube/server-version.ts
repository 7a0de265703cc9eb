/** Which Kubernetes an API server is, and whether kpackless works with it. */
import * as v from 'valibot';
import { ExpectedError, PermanentError } from '../errors/expected.ts';
import type { KubeTransport } from './transport.ts';

/** A release, without its patch: what features depend on. */
export interface ServerVersion {
  readonly major: number;
  readonly minor: number;
}

/** The least that scales: from 1.31 on, consistent lists are answered from the API server's memory (KEP-2340), before from its whole store. */
export const oldestSupported: ServerVersion = { major: 1, minor: 31 };
/** The newest that the contract suites run against. */
export const newestTested: ServerVersion = { major: 1, minor: 34 };

/** `1.31`. */
export const showVersion = ({ major, minor }: ServerVersion): string => `${major}.${minor}`;

const isOlder = (a: ServerVersion, b: ServerVersion): boolean =>
  a.major === b.major ? a.minor < b.minor : a.major < b.major;

/** What is to be said of a server: nothing, that it was not tried, or why it is refused. */
export type ServerSupport =
  | { readonly isSupported: true; readonly note: string | undefined }
  | { readonly isSupported: false; readonly why: string };

/** Whether kpackless may be used with an API server of this version. */
export const supportedServer = (version: ServerVersion): ServerSupport => {
  const range = `${showVersion(oldestSupported)} to ${showVersion(newestTested)}`;
  if (isOlder(version, oldestSupported))
    return {
      isSupported: false,
      why: `the cluster is Kubernetes ${showVersion(version)}, and kpackless supports ${range}: upgrade its control plane`,
    };
  const isNew = isOlder(newestTested, version);
  return {
    isSupported: true,
    note: isNew ? `the cluster is Kubernetes ${showVersion(version)}; kpackless was tried with ${range}` : undefined,
  };
};

/** EKS and others write `31+`. */
const number = v.pipe(
  v.string(),
  v.regex(/^\d{1,4}\+?$/),
  v.transform((text) => Number.parseInt(text, 10)),
);
/** `version.Info` of apimachinery. One that emulates an older release serves what that did. */
const schema = v.object({
  major: number,
  minor: number,
  emulationMajor: v.optional(number),
  emulationMinor: v.optional(number),
});

/** Undefined when it is nothing that a Kubernetes API server says of itself. */
export const parseServerVersion = (body: string): ServerVersion | undefined => {
  let said: unknown;
  try {
    said = JSON.parse(body);
  } catch {
    return undefined;
  }
  const parsed = v.safeParse(schema, said);
  if (!parsed.success) return undefined;
  const { major, minor, emulationMajor = major, emulationMinor = minor } = parsed.output;
  return { major: emulationMajor, minor: emulationMinor };
};

const deadlineSeconds = 5;

/**
 * Asks the server which Kubernetes it is, and says whether it is supported. Everybody may ask, unless its administrators have changed that; a
 * server that does not answer is not refused.
 */
export const askSupport = async (transport: KubeTransport): Promise<ServerSupport> => {
  let said: string;
  try {
    const { body } = await transport.send({ method: 'GET', path: '/version', deadlineSeconds });
    const version = parseServerVersion(body);
    if (version !== undefined) return supportedServer(version);
    said = `${transport.server} did not say it`;
  } catch (error) {
    if (!(error instanceof ExpectedError || error instanceof PermanentError)) throw error;
    said = error.message;
  }
  return { isSupported: true, note: `which Kubernetes the cluster is is not known: ${said}` };
};
