/** Where logs of builds are kept: a bucket in S3, or in a store that speaks its language, and a prefix in it. Pure. */

/** A place for logs, as the installation's setting names it. */
export interface ArchivePlace {
  readonly bucket: string;
  /** Without slashes around it; empty for none. */
  readonly prefix: string;
  /** Origin of a store that is not AWS' own. */
  readonly endpoint?: string;
}

/** What a setting must look like, for people. */
export const archivePlaceRule =
  'must be a bucket, or bucket/prefix, or https://host/bucket/prefix for a store that is not AWS; no slash at the end';

const bucketName = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/u;
/** Names that need no escaping anywhere; `.` and `..` are names that paths swallow. */
const segment = /^(?!\.{1,2}$)[A-Za-z0-9._=-]+$/u;
const loopback = /^(?:127\.\d+\.\d+\.\d+|localhost|\[::1\])$/u;

const split = (text: string): { readonly endpoint?: string; readonly path: string } | undefined => {
  if (!text.includes('://')) return { path: text };
  if (!URL.canParse(text)) return undefined;
  const { protocol, hostname, username, password, search, hash, origin } = new URL(text);
  const isSafe = protocol === 'https:' || (protocol === 'http:' && loopback.test(hostname));
  // The path as it was written: a URL's own would have swallowed dots.
  const path = text.slice(text.indexOf('/', text.indexOf('://') + 3) + 1);
  return isSafe && `${username}${password}${search}${hash}` === '' ? { endpoint: origin, path } : undefined;
};

/** The place that a setting names; undefined when it cannot be one. */
export const archivePlace = (text: string): ArchivePlace | undefined => {
  const found = split(text);
  const [bucket = '', ...prefix] = found?.path.split('/') ?? [];
  if (found === undefined || !bucketName.test(bucket) || !prefix.every((name) => segment.test(name))) return undefined;
  const { endpoint } = found;
  return { bucket, prefix: prefix.join('/'), ...(endpoint === undefined ? {} : { endpoint }) };
};

/** Whose log it is. */
export interface LogOwner {
  readonly cluster: string;
  readonly namespace: string;
  readonly build: string;
  readonly uid: string;
  /** Which pod of the Build it is, where another came after it. */
  readonly earlierPod?: number | undefined;
}

/** The key of a Build's log: namespaces are folders, so that readers can be let into one; a new Build of an old name has its own. */
export const logKey = ({ prefix }: ArchivePlace, { cluster, namespace, build, uid, earlierPod }: LogOwner): string => {
  const name = earlierPod === undefined ? uid : `${uid}.pod-${earlierPod}`;
  return [...(prefix === '' ? [] : [prefix]), cluster, namespace, build, `${name}.log.gz`].join('/');
};

/** The address of a key in a region. Dots in a bucket's name do not fit the certificate of S3, so they are kept out of the host. */
export const addressOf = ({ bucket, endpoint }: ArchivePlace, key: string, region: string): URL => {
  if (endpoint !== undefined) return new URL(`${endpoint}/${bucket}/${key}`);
  const host = `s3.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
  return new URL(bucket.includes('.') ? `https://${host}/${bucket}/${key}` : `https://${bucket}.${host}/${key}`);
};

/** What people and their tools call it. */
export const nameOf = ({ bucket, endpoint }: ArchivePlace, key: string): string =>
  `${endpoint === undefined ? 's3:/' : endpoint}/${bucket}/${key}`;
