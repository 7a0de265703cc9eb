/** Why a source is not ready, in one word for machines. kpack's SourceResolver conditions carry no reasons; all of these are ours. */
import type { ConditionReason } from '../api/reasons.ts';
import type { GitErrorCode } from '../git/errors.ts';

/** One reason for each way a git host can fail. */
export const gitReasons = {
  'credential-invalid': 'SecretInvalid',
  forbidden: 'GitForbidden',
  'host-key-mismatch': 'HostKeyMismatch',
  'host-key-unknown': 'HostKeyUnknown',
  'host-unreachable': 'GitHostUnreachable',
  'key-invalid': 'SshKeyInvalid',
  'key-refused': 'SshKeyRefused',
  'not-asked': 'HostNotAsked',
  'not-found': 'RepositoryNotFound',
  protocol: 'GitProtocolError',
  throttled: 'GitHostThrottled',
  timeout: 'GitTimeout',
  tls: 'GitTlsFailed',
  unauthorized: 'GitUnauthorized',
} as const satisfies Readonly<Record<GitErrorCode, ConditionReason>>;

/** Reasons that are not the git host's doing. */
export const sourceReasons = {
  /** The revision never resolved. */
  revisionNotFound: 'RevisionNotFound',
  /** The revision resolved before and is gone from the repository. */
  revisionDeleted: 'RevisionDeleted',
  /** ServiceAccount or Secret may not be read. */
  credentialsForbidden: 'CredentialsForbidden',
  /** None of git, blob and registry is given. */
  invalidSource: 'InvalidSource',
  /** The annotation for the polling interval cannot be read. */
  invalidInterval: 'InvalidPollInterval',
  /** A blob or image that is to be followed cannot be looked at. */
  unreachable: 'SourceUnreachable',
  /** A blob or image is to be followed but nothing tells its versions. */
  notFollowed: 'NotFollowed',
  /** The namespace follows more of the repository than one poll holds, or than hooks wake. */
  tooMany: 'TooManyFollowed',
  /** The annotation says 0. */
  pollingOff: 'PollingOff',
} as const satisfies Readonly<Record<string, ConditionReason>>;
