/** What a function is told by its environment. Everything that is wrong is reported together. */
import * as v from 'valibot';
import { archivePlace, archivePlaceRule } from '../lib/builds/archive/place.ts';

const text = v.pipe(v.string(), v.minLength(1, 'must not be empty'));
const flag = v.optional(
  v.pipe(
    v.picklist(['true', 'false'], 'must be true or false'),
    v.transform((value) => value === 'true'),
  ),
  'false',
);

const cap = v.optional(
  v.pipe(
    v.string(),
    v.regex(/^(?:[1-9]\d{0,2}|1000)?$/, 'must be a number from 1 to 1000'),
    v.transform((given) => (given === '' ? undefined : Number(given))),
  ),
  '',
);

/** A Kubernetes quantity of bytes, whole, as people write one. */
const bytes = v.optional(
  v.pipe(
    v.string(),
    v.regex(/^(?:[1-9]\d{0,9}(?:[KMGT]i|[kMGT])?)?$/, 'must be a quantity of bytes such as 4Gi'),
    v.transform((given) => (given === '' ? undefined : given)),
  ),
  '',
);

const archive = v.optional(
  v.pipe(
    v.string(),
    v.check((given) => given === '' || archivePlace(given) !== undefined, archivePlaceRule),
    v.transform((given) => (given === '' ? undefined : archivePlace(given))),
  ),
  '',
);

const settingsSchema = v.object({
  /** Name of the DynamoDB table. */
  KPACKLESS_TABLE: text,
  /** Everything of a queue's URL before `<name>.fifo`. */
  KPACKLESS_QUEUE_URL_PREFIX: text,
  /** The image of the step programs, with digest. */
  KPACKLESS_STEP_IMAGE: text,
  /** Where log lines go when they shall not go to standard output. */
  KPACKLESS_LOG_FILE: v.optional(text),
  KPACKLESS_SYSTEM_NAMESPACE: v.optional(text, 'kpack'),
  KPACKLESS_SYSTEM_SERVICE_ACCOUNT: v.optional(text, 'controller'),
  /** Highest platform API used, e.g. `0.12`; empty for whatever the lifecycle offers. */
  KPACKLESS_MAXIMUM_PLATFORM_API: v.optional(v.string(), ''),
  KPACKLESS_INJECTED_SIDECAR_SUPPORT: flag,
  /** `refuse` fails Builds whose builder orders image extensions: their steps run as root. */
  KPACKLESS_EXTENSIONS: v.optional(v.picklist(['run', 'refuse'], 'must be run or refuse'), 'run'),
  /** Most that each directory of a build pod may hold; empty for no limit. */
  KPACKLESS_EMPTY_DIR_LIMIT: bytes,
  KPACKLESS_PRIORITY_CLASSES: flag,
  KPACKLESS_TRUST_UNKNOWN_SSH_HOSTS: v.optional(
    v.pipe(
      v.picklist(['true', 'false'], 'must be true or false'),
      v.transform((value) => value === 'true'),
    ),
    'true',
  ),
  /** Seconds between two looks at a git repository. */
  KPACKLESS_GIT_POLL_SECONDS: v.optional(
    v.pipe(v.string(), v.regex(/^[1-9]\d{0,5}$/, 'must be a number of seconds'), v.transform(Number)),
    '60',
  ),
  /** PEM file of certificate authorities that registries may be vouched for by, beside the usual ones; empty for none. */
  KPACKLESS_REGISTRY_CA_FILE: v.optional(v.string(), ''),
  /** Commit of this release, the same for all functions; empty when it is not known. */
  KPACKLESS_COMMIT: v.optional(
    v.pipe(v.string(), v.regex(/^(?:[0-9a-f]{7,64})?$/, 'must be a commit id in lower-case hex')),
    '',
  ),
  /** Whether every image that is built gets a SLSA attestation, signed with the keys of annotated Secrets. */
  KPACKLESS_SLSA_ATTESTATION: flag,
  /** Builds that run at once, in the whole installation and in each namespace; empty for no limit. */
  KPACKLESS_MAX_BUILDS: cap,
  KPACKLESS_MAX_BUILDS_PER_NAMESPACE: cap,
  /** Where the logs of ended Builds are kept, `bucket/prefix`; empty for nowhere. */
  KPACKLESS_BUILD_LOG_ARCHIVE: archive,
});

/** Every variable that is read. */
export const settingNames: readonly string[] = Object.keys(settingsSchema.entries);

/** Settings, parsed. */
export type Settings = v.InferOutput<typeof settingsSchema>;

/** Reads the settings. @throws Error with one line for each variable that is missing or wrong */
export const settingsFrom = (environment: Readonly<Record<string, string | undefined>>): Settings => {
  const parsed = v.safeParse(settingsSchema, environment);
  if (parsed.success) return parsed.output;
  const lines = parsed.issues.map((issue) => `${v.getDotPath(issue) ?? '?'}: ${issue.message}`);
  throw new Error(`the environment is incomplete:\n${lines.join('\n')}`);
};
