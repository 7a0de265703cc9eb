/**
 * Every condition type, every reason in a condition and every reason for a build, each with what it means to a user
 * (spec 01 §5, §6). Reasons the reconcilers add beyond kpack's are told apart by `ours`.
 */

/** Condition types by the kinds that carry them. */
export const conditionTypes = {
  Ready: 'The object is usable. Every kind but Build.',
  Succeeded: 'The Build ended: True well, False badly, Unknown not yet. Build only.',
  BuilderReady: 'The Image’s builder is usable. Image only.',
  BuilderUpToDate: 'The Image’s builder has the newest stack and buildpacks. Image only.',
  CacheReady: 'False while the cache that an Image asks for is not used, or not as large as it asks for. Image only.',
  UpToDate: 'The builder image was made from the newest stack and buildpacks. Builder and ClusterBuilder only.',
  ActivePolling: 'The source can move and is looked at again and again. SourceResolver only.',
  LogsArchived: 'The logs of an ended Build are kept outside the cluster. Only where the installation archives logs.',
} as const;

/** The type of a condition. */
export type ConditionType = keyof typeof conditionTypes;

/** What a reason means, and whether it is known to kpack or only to this project. */
export interface ReasonMeaning {
  readonly kinds: readonly string[];
  readonly meaning: string;
  readonly ours?: true;
}

/** Reasons of conditions. Waiting reasons of containers pass through as Kubernetes gives them and are not listed. */
export const conditionReasons = {
  BuilderNotFound: { kinds: ['Image'], meaning: 'The builder the Image names does not exist.' },
  BuilderNotReady: {
    kinds: ['Image', 'Build'],
    meaning: 'The builder exists but is not usable; its message says why.',
  },
  BuilderReady: { kinds: ['Image'], meaning: 'The builder is usable.' },
  BuilderUpToDate: { kinds: ['Image'], meaning: 'The builder has the newest stack and buildpacks.' },
  BuilderNotUpToDate: { kinds: ['Image'], meaning: 'The builder works but could not take in a change.' },
  BuildRunning: {
    kinds: ['Image'],
    meaning: 'A Build was made and has not ended, or one that was deleted still runs.',
  },
  BuildFailed: { kinds: ['Image'], meaning: 'The latest Build failed; its message says why.' },
  ResolverNotReady: {
    kinds: ['Image'],
    meaning:
      'The source has not been resolved yet: Unknown while that may come by itself, False once somebody has to act.',
  },
  UnknownState: { kinds: ['Image'], meaning: 'Whether a Build is needed cannot be told.' },
  UpToDate: { kinds: ['Image'], meaning: 'The latest Build succeeded and nothing has changed since.' },
  Completed: { kinds: ['Build'], meaning: 'The image was built and pushed.' },
  Failed: { kinds: ['Build'], meaning: 'A step failed; the message names it and its last words.' },
  CommitGone: {
    kinds: ['Build'],
    meaning: 'The git host no longer has the commit: a force-push took it away, or its branch was deleted.',
    ours: true,
  },
  DeadlineExceeded: { kinds: ['Build'], meaning: 'It took longer than the Image’s build.buildTimeout.', ours: true },
  Evicted: {
    kinds: ['Build'],
    meaning:
      'The pod was evicted: by its node, by the eviction API or for a taint; the message says which. Tried again, unless it had outgrown its own limits.',
    ours: true,
  },
  Preempted: {
    kinds: ['Build'],
    meaning: 'The pod had to make room for one of higher priority. Tried again, as often as that happens.',
    ours: true,
  },
  NodeShutdown: { kinds: ['Build'], meaning: 'The pod’s node was shut down. Tried again.', ours: true },
  NodeLost: {
    kinds: ['Build'],
    meaning:
      'The pod’s node is gone, was restarted, or does not answer. Tried again once it is certain that the pod is gone.',
    ours: true,
  },
  NodeRejected: {
    kinds: ['Build'],
    meaning: 'The node that was chosen did not take the pod; the message has its words. Tried again.',
    ours: true,
  },
  TriedAgain: {
    kinds: ['Build'],
    meaning: 'The Build has another pod than its first; the message says which, and what became of the one before.',
    ours: true,
  },
  BuiltFromSource: {
    kinds: ['Build'],
    meaning: 'What was to be rebased is built from source; the message says why it cannot be rebased.',
    ours: true,
  },
  WithoutCache: {
    kinds: ['Build'],
    meaning: 'The Build goes on without its cache; the message says why it cannot be used.',
    ours: true,
  },
  CacheUnusable: {
    kinds: ['Image'],
    meaning: 'The claim of the cache cannot be made or used; builds go on without, and the message says why.',
    ours: true,
  },
  CacheNotGrown: {
    kinds: ['Image'],
    meaning: 'The claim of the cache cannot be made as large as was asked for; builds use it as it is.',
    ours: true,
  },
  TagImmutable: {
    kinds: ['Build'],
    meaning: 'A tag holds another image, and its registry never lets it be moved; the message names tag and rule.',
    ours: true,
  },
  NoLatestImage: { kinds: ['Builder', 'ClusterBuilder'], meaning: 'The builder image was never made.' },
  ReconcileFailed: { kinds: ['Builder', 'ClusterBuilder'], meaning: 'The newest builder image could not be made.' },
  Pushing: {
    kinds: ['Builder', 'ClusterBuilder'],
    meaning: 'Layers of the builder image are on their way; the message counts them.',
    ours: true,
  },
  Queued: { kinds: ['Build'], meaning: 'The cap on running builds is reached; the Build waits its turn.', ours: true },
  MissingServiceAccount: {
    kinds: ['Build'],
    meaning: 'The ServiceAccount does not exist yet; the Build waits for it.',
    ours: true,
  },
  MissingSecret: {
    kinds: ['Build'],
    meaning:
      'A Secret of the ServiceAccount, of a binding or for pulling images does not exist yet; the Build waits for it.',
    ours: true,
  },
  MissingConfigMap: {
    kinds: ['Build'],
    meaning: 'A ConfigMap that the Build binds does not exist; its pod cannot start before it does.',
    ours: true,
  },
  MissingClaim: {
    kinds: ['Build'],
    meaning: 'The PersistentVolumeClaim of the cache does not exist; the Build goes on without after a while.',
    ours: true,
  },
  NotStarted: {
    kinds: ['Build'],
    meaning: 'The pod did nothing for six hours, though a node had it, and nothing says why.',
    ours: true,
  },
  MissingService: {
    kinds: ['Build'],
    meaning: 'A service to bind does not exist yet; the Build waits for it.',
    ours: true,
  },
  PodNameTaken: {
    kinds: ['Build'],
    meaning: 'A pod of the name is not the one that was made for the Build; the Build waits until it is gone.',
    ours: true,
  },
  SpecChanged: {
    kinds: ['Build'],
    meaning: 'Somebody changed the spec after the Build had begun; its pod was stopped.',
    ours: true,
  },
  PodDeleted: { kinds: ['Build'], meaning: 'The pod was deleted before it ended.', ours: true },
  Unschedulable: {
    kinds: ['Build'],
    meaning: 'No node took the pod, for a day; waiting for one before that.',
    ours: true,
  },
  Cancelling: { kinds: ['Build'], meaning: 'The Build was cancelled; its pod is being stopped.', ours: true },
  Cancelled: { kinds: ['Build'], meaning: 'The Build was cancelled by annotation.', ours: true },
  ExtensionsUnsupported: {
    kinds: ['Build'],
    meaning: 'The builder orders image extensions that cannot run; the message says why. Nothing was built.',
    ours: true,
  },
  ExtensionsRefused: {
    kinds: ['Build'],
    meaning: 'The builder orders image extensions, which this installation refuses. Nothing was built.',
    ours: true,
  },
  PodRefused: {
    kinds: ['Build'],
    meaning:
      'A policy, webhook or missing class keeps the pod from being made; the message has its words. It is tried again.',
    ours: true,
  },
  NotaryUnsupported: {
    kinds: ['Build'],
    meaning: 'The Image asks for a notary v1 signature, which is not made; nothing was built.',
    ours: true,
  },
  Paused: {
    kinds: ['Image'],
    meaning: 'Builds are paused by annotation; the message says why one would be made.',
    ours: true,
  },
  RebaseInPod: { kinds: ['Build'], meaning: 'The rebase needs a pod; the message says why.', ours: true },
  StepsInSequence: {
    kinds: ['Build'],
    meaning:
      'The namespace refused a pod whose steps start at once, so they run one after another; the message says why.',
    ours: true,
  },
  ResultUnknown: { kinds: ['Build'], meaning: 'The image was pushed, but nothing says its digest.', ours: true },
  Archived: { kinds: ['Build'], meaning: 'The logs are kept; the message is their address.', ours: true },
  ArchivedInPart: {
    kinds: ['Build'],
    meaning: 'The logs are kept but for steps that could not be read; the message names address and steps.',
    ours: true,
  },
  ArchiveRetrying: {
    kinds: ['Build'],
    meaning: 'The logs could not be read or put away; it is tried again, for an hour.',
    ours: true,
  },
  ArchiveFailed: { kinds: ['Build'], meaning: 'The logs are not kept; the message says why.', ours: true },
  Invalid: {
    kinds: ['Image', 'Build'],
    meaning: 'A field cannot work, or the API server refuses what would be made of it; the message names it.',
    ours: true,
  },
  Retrying: {
    kinds: ['Image', 'Build'],
    meaning: 'The API server or a registry failed; it is tried again.',
    ours: true,
  },
  TooManyDependencies: {
    kinds: ['Image', 'Builder', 'ClusterBuilder', 'SourceResolver'],
    meaning: 'It refers to more other objects than can be watched for it, or to one with an endless name.',
    ours: true,
  },
  TooLarge: {
    kinds: ['Image', 'Builder', 'ClusterBuilder', 'SourceResolver'],
    meaning: 'More would have to be remembered of it than the store takes; the message says of what.',
    ours: true,
  },
  CredentialsForbidden: {
    kinds: ['SourceResolver'],
    meaning: 'ServiceAccount or Secrets may not be read; the message names the binding to apply.',
    ours: true,
  },
  GitForbidden: {
    kinds: ['SourceResolver'],
    meaning: 'The git host does not let these credentials read the repository.',
    ours: true,
  },
  GitHostThrottled: {
    kinds: ['SourceResolver'],
    meaning: 'The git host asks to be left alone for a while; it is asked again.',
    ours: true,
  },
  GitHostUnreachable: {
    kinds: ['SourceResolver'],
    meaning: 'The git host cannot be reached or is failing; it is asked again.',
    ours: true,
  },
  GitProtocolError: {
    kinds: ['SourceResolver'],
    meaning: 'What answers at the URL is not a git host, or says what is not understood here; the message says which.',
    ours: true,
  },
  GitTimeout: {
    kinds: ['SourceResolver'],
    meaning: 'The git host did not answer in time; it is asked again.',
    ours: true,
  },
  GitTlsFailed: { kinds: ['SourceResolver'], meaning: 'The certificate of the git host is not trusted.', ours: true },
  GitUnauthorized: {
    kinds: ['SourceResolver'],
    meaning: 'The git host wants credentials, or other ones, or shows a page to log in on.',
    ours: true,
  },
  HostKeyMismatch: {
    kinds: ['SourceResolver'],
    meaning: 'The git host shows another key than known_hosts has, or a revoked one.',
    ours: true,
  },
  HostNotAsked: {
    kinds: ['SourceResolver'],
    meaning:
      'The git host leads to an address that is not asked from here; the message names its kind and the setting.',
    ours: true,
  },
  HostKeyUnknown: { kinds: ['SourceResolver'], meaning: 'The git host is not in known_hosts.', ours: true },
  InvalidGitUrl: {
    kinds: ['SourceResolver'],
    meaning: 'The git URL cannot be one, or is of a kind that is refused.',
    ours: true,
  },
  InvalidSource: { kinds: ['SourceResolver'], meaning: 'None of git, blob and registry is given.', ours: true },
  InvalidName: {
    kinds: ['Image', 'Build', 'SourceResolver', 'Builder', 'ClusterBuilder'],
    meaning: 'A reference names an object as none can be called, such as `..`; the message says which.',
    ours: true,
  },
  InvalidPollInterval: {
    kinds: ['SourceResolver'],
    meaning: 'The annotation for the polling interval cannot be read; the installation’s interval holds.',
    ours: true,
  },
  NotFollowed: {
    kinds: ['SourceResolver'],
    meaning: 'The blob or image is to be looked at again and again, which cannot be done; the message says why.',
    ours: true,
  },
  TooManyFollowed: {
    kinds: ['SourceResolver'],
    meaning:
      'The namespace follows more of the repository than one poll holds, or than push hooks wake; the message says which.',
    ours: true,
  },
  PollingOff: {
    kinds: ['SourceResolver'],
    meaning: 'Polling is switched off by annotation; push hooks are heard.',
    ours: true,
  },
  RepositoryNotFound: {
    kinds: ['SourceResolver'],
    meaning: 'The git host has no such repository, or does not show it to these credentials.',
    ours: true,
  },
  RevisionDeleted: {
    kinds: ['SourceResolver'],
    meaning: 'The branch or tag was there before and is gone; the last commit is kept.',
    ours: true,
  },
  RevisionNotFound: {
    kinds: ['SourceResolver'],
    meaning: 'The repository has no branch, tag or other ref of that name.',
    ours: true,
  },
  SourceUnreachable: {
    kinds: ['SourceResolver'],
    meaning: 'The blob or image that is followed could not be looked at; it is tried again.',
    ours: true,
  },
  SecretInvalid: {
    kinds: ['SourceResolver'],
    meaning:
      'A user name, password or token in a Secret holds a line break or is no text; the message names Secret and key.',
    ours: true,
  },
  SshKeyInvalid: {
    kinds: ['SourceResolver'],
    meaning: 'The private key in the Secret cannot be used; the message says why.',
    ours: true,
  },
  SshKeyRefused: { kinds: ['SourceResolver'], meaning: 'The git host does not accept the private key.', ours: true },
} as const satisfies Readonly<Record<string, ReasonMeaning>>;

/** A reason of a condition that a reconciler decides on. */
export type ConditionReason = keyof typeof conditionReasons;

/** Why a Build is made, in the order the reasons are joined in. */
export const buildReasons = ['TRIGGER', 'COMMIT', 'CONFIG', 'BUILDPACK', 'STACK', 'LIFECYCLE'] as const;

/** Why a Build is made. */
export type BuildReason = (typeof buildReasons)[number];

/** What a build reason means to a user. */
export const buildReasonMeanings: Readonly<Record<BuildReason, string>> = {
  TRIGGER: 'Somebody asked for it.',
  COMMIT: 'The source moved.',
  CONFIG: 'The Image’s configuration changed, or it is the first Build.',
  BUILDPACK: 'A buildpack of the last Build is newer, or gone.',
  STACK: 'The run image changed; alone it is a rebase.',
  LIFECYCLE: 'The lifecycle changed.',
};
