/** What a function is told by its environment. Everything that is wrong is reported together. */
import * as v from 'valibot';
import { archivePlace, archivePlaceRule } from '../lib/builds/archive/place.ts';
import { longestWaitSeconds, mostRetries, usualRetries } from '../lib/builds/tries.ts';
import { CidrError, parseCidrs } from '../lib/egress/cidr.ts';
import { usualAccount } from '../lib/reconcile/concurrency.ts';
import { mistakes } from './mistakes.ts';

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
    // Each holder of a slot takes up to 455 bytes of one item, which may have 400 KB.
    v.regex(/^(?:[1-9]\d?|[1-7]\d\d|800)?$/, 'must be a number from 1 to 800'),
    v.transform((given) => (given === '' ? undefined : Number(given))),
  ),
  '',
);

const whole = (least: number, most: number, usual: number) =>
  v.optional(
    v.pipe(
      v.string(),
      v.check(
        (given) =>
          given === '' || (/^(?:0|[1-9]\d{0,3})$/.test(given) && Number(given) >= least && Number(given) <= most),
        `must be a whole number from ${least} to ${most}`,
      ),
      v.transform((given) => (given === '' ? usual : Number(given))),
    ),
    '',
  );

/** `true`, `false`, or names of namespaces with commas between them. */
const sidecars = v.optional(
  v.pipe(
    v.string(),
    v.regex(
      /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:,[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?){0,199})$/,
      'must be true, false, or names of namespaces with commas between them',
    ),
    v.transform((given): boolean | readonly string[] => {
      if (given === 'true' || given === 'false') return given === 'true';
      return given.split(',');
    }),
  ),
  'false',
);

const ranges = v.optional(
  v.pipe(
    v.string(),
    v.rawTransform(({ dataset: { value }, addIssue, NEVER }) => {
      try {
        return parseCidrs(value);
      } catch (error) {
        if (!(error instanceof CidrError)) throw error;
        addIssue({ message: error.message });
        return NEVER;
      }
    }),
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

/** Unique ids of IAM roles and users, as SQS stamps them on messages. */
const senders = v.pipe(
  v.string(),
  v.regex(
    /^(?:any|[A-Z0-9]{16,128}(?:,[A-Z0-9]{16,128}){0,31})$/,
    'must be the unique ids (AROA…) of the roles that may wake objects of any cluster, comma-separated, or any',
  ),
  v.transform((given): 'any' | readonly string[] => (given === 'any' ? given : given.split(','))),
);

const bus = v.optional(
  v.pipe(
    v.string(),
    v.regex(
      /^(?:arn:aws[a-z-]{0,10}:events:[a-z0-9-]{1,30}:\d{12}:event-bus\/[A-Za-z0-9._/-]{1,256})?$/,
      'must be the ARN of an event bus, arn:aws:events:REGION:ACCOUNT:event-bus/NAME',
    ),
    v.transform((given) => (given === '' ? undefined : given)),
  ),
  '',
);

/** By the name of the variable. */
export const settingsSchema = v.object({
  /** Name of the DynamoDB table. */
  KPACKLESS_TABLE: text,
  /** Everything of a queue's URL before `<name>.fifo`. */
  KPACKLESS_QUEUE_URL_PREFIX: text,
  /** Whose messages count for every cluster; `any` only where the queue is in this process. A cluster's relay speaks for that cluster alone. */
  KPACKLESS_SENDERS: senders,
  /** The image of the step programs, with digest. */
  KPACKLESS_STEP_IMAGE: text,
  /** Invocations at once that the account allows in all: what each queue's function may have is worked out from it (lib/reconcile/concurrency.ts). */
  KPACKLESS_ACCOUNT_CONCURRENCY: v.optional(
    v.pipe(v.string(), v.regex(/^[1-9]\d{1,5}$/, 'must be a number from 10 to 999999'), v.transform(Number)),
    String(usualAccount),
  ),
  /** Lines of less weight are not written; those that count something are. */
  KPACKLESS_LOG_LEVEL: v.optional(v.picklist(['info', 'warn', 'error'], 'must be info, warn or error'), 'info'),
  /** CloudWatch namespace of what is counted: two installations in one account and region have two. */
  KPACKLESS_METRICS_NAMESPACE: v.optional(
    v.pipe(v.string(), v.regex(/^[A-Za-z0-9._/#:-]{1,100}$/, 'must be a namespace of CloudWatch')),
    'kpackless',
  ),
  /** How many metrics CloudWatch is sent: each is paid for (docs/metrics.md). */
  KPACKLESS_METRICS: v.optional(v.picklist(['few', 'all'], 'must be few or all'), 'few'),
  /** Where log lines go when they shall not go to standard output. */
  KPACKLESS_LOG_FILE: v.optional(text),
  KPACKLESS_SYSTEM_NAMESPACE: v.optional(text, 'kpack'),
  KPACKLESS_SYSTEM_SERVICE_ACCOUNT: v.optional(text, 'controller'),
  /** Highest platform API used, e.g. `0.12`; empty for whatever the lifecycle offers. */
  KPACKLESS_MAXIMUM_PLATFORM_API: v.optional(
    v.pipe(v.string(), v.regex(/^(?:\d{1,4}\.\d{1,4})?$/, 'must be a version such as 0.12, or empty')),
    '',
  ),
  /** Whether build pods live with sidecars that others inject: everywhere, nowhere, or in these namespaces. */
  KPACKLESS_INJECTED_SIDECAR_SUPPORT: sidecars,
  /** Whether steps of a build start one after another, as in kpack, or all at once; Images may ask for the other. */
  KPACKLESS_BUILD_STEPS: v.optional(
    v.picklist(['sequential', 'parallel'], 'must be sequential or parallel'),
    'sequential',
  ),
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
  /** PEM file of certificate authorities for all that is spoken to over TLS, as other programs read it (lib/egress/trust.ts); empty for none. */
  SSL_CERT_FILE: v.optional(v.string(), ''),
  /** Addresses that tenants' hosts may have, and may not, beyond and against what is usual: ranges with commas between them. */
  KPACKLESS_EGRESS_ALLOW: ranges,
  KPACKLESS_EGRESS_DENY: ranges,
  /** Whether tenants' hosts may have private addresses. */
  KPACKLESS_EGRESS_PRIVATE: v.optional(v.picklist(['allow', 'refuse'], 'must be allow or refuse'), 'refuse'),
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
  /** How often a pod that Kubernetes ended is made again, and seconds before the first time; each further one waits twice as long. */
  KPACKLESS_POD_RETRIES: whole(0, mostRetries, usualRetries.retries),
  KPACKLESS_POD_RETRY_SECONDS: whole(1, longestWaitSeconds, usualRetries.firstSeconds),
  /** Where the logs of ended Builds are kept, `bucket/prefix`; empty for nowhere. */
  KPACKLESS_BUILD_LOG_ARCHIVE: archive,
  /** Whether Builds and Images tell what happens to them by Kubernetes Events. */
  KPACKLESS_KUBERNETES_EVENTS: v.optional(v.picklist(['on', 'off'], 'must be on or off'), 'on'),
  /** The bus of EventBridge that hears of what happens to Builds; empty for none. */
  KPACKLESS_EVENT_BUS: bus,
});

/** Every variable that is read. */
export const settingNames: readonly string[] = Object.keys(settingsSchema.entries);

/** Settings, parsed. */
export type Settings = v.InferOutput<typeof settingsSchema>;

/** Reads the settings. @throws Error with one line for each variable that is missing or wrong */
export const settingsFrom = (environment: Readonly<Record<string, string | undefined>>): Settings => {
  const parsed = v.safeParse(settingsSchema, environment);
  if (parsed.success) return parsed.output;
  throw new Error(`the settings are wrong:\n${mistakes(parsed.issues, environment).join('\n')}`);
};
