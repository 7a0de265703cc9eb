/** A wake-up: a pointer to an object, never its content (DESIGN §3.1, §3.2). */
import { hash } from 'node:crypto';
import * as v from 'valibot';
import { isLabel, isSubdomain } from '../kube/names.ts';
import {
  CLUSTER_KIND,
  dependentsRow,
  mayHaveDependents,
  PUSH_KIND,
  queueRows,
  sourceOnlyKinds,
} from '../reconcile/kind-table.ts';
import { type TargetKey, toldIn } from '../state/keys.ts';

/** Why somebody is woken. */
export const reasons = ['self', 'child', 'dependency', 'due', 'list', 'hook', 'redrive'] as const;
export type Reason = (typeof reasons)[number];

/** What is kept and compared, never part of a path or key: visible ASCII. */
const shortText = v.pipe(v.string(), v.maxLength(512), v.regex(/^[\x20-\x7e]*$/, 'is not printable ASCII'));

/** Kinds that may be woken or wake: a kind nobody knows has no queue, and no path in the API. */
const knownKinds: ReadonlySet<string> = new Set([
  ...[...queueRows, ...sourceOnlyKinds].map(({ kind }) => kind),
  CLUSTER_KIND,
  PUSH_KIND,
]);

/** A telling that was put off is named `<kind>/<name>` (lib/state/keys.ts); everything else as Kubernetes names objects. */
const isNamed = ({ kind, namespace, name }: Pick<TargetKey, 'kind' | 'namespace' | 'name'>): boolean => {
  if (kind !== dependentsRow.kind) return isSubdomain(name);
  const told = toldIn({ cluster: '', kind, namespace, name });
  return told !== undefined && mayHaveDependents(told.kind) && isSubdomain(told.name);
};

/** `#` and `/` would make two keys of the table one, and `..` another path of the API. */
const named = {
  kind: v.pipe(
    v.string(),
    v.check((kind) => knownKinds.has(kind), 'is no kind that is known'),
  ),
  namespace: v.pipe(
    v.string(),
    v.check((namespace) => namespace === '' || isLabel(namespace), 'is no name of a namespace'),
  ),
  name: v.string(),
};
const isNoName = 'is not named as an object of Kubernetes may be';

const isReason = (word: string): word is Reason => reasons.some((reason) => reason === word);

/** A reason that a later version has is an event of the target, of which no version is known: then it is looked at, and never skipped. */
const inOurWords = <M extends { readonly reason: string; readonly cause: { readonly resourceVersion: string } }>(
  message: M,
): M & { readonly reason: Reason } => {
  const { reason, cause } = message;
  return isReason(reason)
    ? { ...message, reason }
    : { ...message, reason: 'self', cause: { ...cause, resourceVersion: '' } };
};

/** What is accepted as one. */
export const messageSchema = v.pipe(
  v.object({
    v: v.literal(1),
    /** The length apart: a counted repetition is compiled into a hundred copies of itself. */
    cluster: v.pipe(v.string(), v.maxLength(100), v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/)),
    /** Changes when the cluster's history of versions may have gone back (etcd restored, cluster replaced). */
    epoch: shortText,
    target: v.pipe(
      v.object(named),
      v.check((one) => isNamed(one), isNoName),
    ),
    /** The object whose event this is; for `self` and `list` the target itself. */
    cause: v.pipe(
      v.object({ ...named, uid: shortText, resourceVersion: shortText }),
      v.check((one) => isNamed(one), isNoName),
    ),
    reason: shortText,
    /** What tells two wake-ups of one cause apart: dueAt for `due`, the list's version and start for `list`, the replaced id for `redrive`. */
    occasion: v.optional(shortText),
    /** One of many that one cause or one tenant wakes at once: it goes behind what somebody has just done (lib/queue/bulk.ts). */
    bulk: v.optional(v.boolean()),
  }),
  v.transform(inOurWords),
);

/** One wake-up as it travels. */
export type Message = v.InferOutput<typeof messageSchema>;

/** The object that is to be reconciled. */
export const targetOf = ({ cluster, target }: Message): TargetKey => ({ cluster, ...target });

/** Why a body is not what it should be, as a sentence. */
export interface Unreadable {
  readonly unreadable: string;
}

/** What only a later deployment can read: its version. */
export interface Newer {
  readonly newer: number;
}

/** The version that is read here. A change that this one must not guess at is another: then messages wait instead of being dropped. */
const version = 1;
/** Looked at before anything else. */
const newerIn = (json: unknown): number | undefined => {
  const said = typeof json === 'object' && json !== null && 'v' in json ? json.v : undefined;
  return typeof said === 'number' && Number.isInteger(said) && said > version ? said : undefined;
};

/** What `body` says in JSON by `schema`. Unreadable messages are acknowledged: retrying cannot help. Those of a later version wait. */
export const readableAs = <T>(schema: v.GenericSchema<unknown, T>, body: string): T | Newer | Unreadable => {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return { unreadable: 'the body is not JSON' };
  }
  const newer =
    newerIn(json) ?? newerIn(typeof json === 'object' && json !== null && 'message' in json ? json.message : {});
  if (newer !== undefined) return { newer };
  const parsed = v.safeParse(schema, json);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  return { unreadable: `${v.getDotPath(issue) ?? 'the body'}: ${issue.message}` };
};

/** The message in `body`, or a sentence that says why it is none. */
export const parseMessage = (body: string): { readonly message: Message } | Newer | Unreadable => {
  const parsed = readableAs(messageSchema, body);
  return 'unreadable' in parsed || 'newer' in parsed ? parsed : { message: parsed };
};

/** Wakes an object for no event of its own: it looks at what is there, and nothing of it may be skipped. `occasion` tells such wake-ups apart. */
export const dueMessage = ({ cluster, ...target }: TargetKey, occasion: string): Message => ({
  v: 1,
  cluster,
  epoch: '',
  target,
  cause: { ...target, uid: '', resourceVersion: '' },
  reason: 'due',
  occasion,
});

/** The occasion of a wake-up whose time has come. */
export const dueOccasion = (dueAt: number): string => `due@${dueAt}`;

/** The time that came, in Unix seconds; undefined for any other occasion. */
export const timeOfDue = (occasion = ''): number | undefined => {
  const [word, time = ''] = occasion.split('@');
  return word === 'due' && /^\d{1,12}$/.test(time) ? Number(time) : undefined;
};

/** A short text of fixed length in place of one of any length: 43 characters. */
export const digest = (text: string): string => hash('sha256', text, 'base64url');

/** What says which messages are of one group: the object, as text of any length. */
export const groupOf = ({ cluster, kind, namespace, name }: TargetKey): string =>
  `${cluster}/${kind}/${namespace}/${name}`;

/** FIFO group: one object is never reconciled twice at once. 43 characters, as a group id may have 128 (spec 06 §0.5). */
export const groupIdOf = (target: TargetKey): string => digest(groupOf(target));

/**
 * What tells messages apart, as text of any length. SQS swallows a repeated id for five minutes even after the first copy was deleted, so it
 * must differ whenever the wake-up says something new, and be equal for the same event sent by two relays (DESIGN §3.2).
 */
export const noveltyOf = (message: Message): string => {
  const { cluster, epoch, target, cause, reason, occasion = '' } = message;
  const who = [cluster, target.kind, target.namespace, target.name, reason, epoch];
  return (occasion === '' ? [...who, cause.uid, cause.resourceVersion] : [...who, occasion]).join('\n');
};

/** Deduplication id: the digest of it. */
export const deduplicationIdOf = (message: Message): string => digest(noveltyOf(message));
