/** A wake-up: a pointer to an object, never its content (DESIGN §3.1, §3.2). */
import { createHash } from 'node:crypto';
import * as v from 'valibot';
import type { TargetKey } from '../state/keys.ts';

/** Why somebody is woken. */
export const reasons = ['self', 'child', 'dependency', 'due', 'list', 'hook', 'redrive'] as const;
export type Reason = (typeof reasons)[number];

const shortText = v.pipe(v.string(), v.maxLength(512));
const nameText = v.pipe(v.string(), v.minLength(1), v.maxLength(512));

const messageSchema = v.object({
  v: v.literal(1),
  cluster: v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/)),
  /** Changes when the cluster's history of versions may have gone back (etcd restored, cluster replaced). */
  epoch: shortText,
  target: v.object({ kind: nameText, namespace: shortText, name: nameText }),
  /** The object whose event this is; for `self` and `list` the target itself. */
  cause: v.object({ kind: nameText, namespace: shortText, name: nameText, uid: shortText, resourceVersion: shortText }),
  reason: v.picklist(reasons),
  /** What tells two wake-ups of one cause apart: dueAt for `due`, the list's version and start for `list`, the replaced id for `redrive`. */
  occasion: v.optional(shortText),
});

/** One wake-up as it travels. */
export type Message = v.InferOutput<typeof messageSchema>;

/** The object that is to be reconciled. */
export const targetOf = ({ cluster, target }: Message): TargetKey => ({ cluster, ...target });

/** The message in `body`, or a sentence that says why it is none. Unreadable messages are acknowledged: retrying cannot help. */
export const parseMessage = (body: string): { readonly message: Message } | { readonly unreadable: string } => {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return { unreadable: 'the body is not JSON' };
  }
  const parsed = v.safeParse(messageSchema, json);
  if (parsed.success) return { message: parsed.output };
  const [issue] = parsed.issues;
  return { unreadable: `${v.getDotPath(issue) ?? 'the body'}: ${issue.message}` };
};

/** The occasion of a wake-up whose time has come. */
export const dueOccasion = (dueAt: number): string => `due@${dueAt}`;

const digest = (parts: readonly string[]): string => createHash('sha256').update(parts.join('\n')).digest('base64url');

/** FIFO group: one object is never reconciled twice at once. 43 characters, as a group id may have 128 (spec 06 §0.5). */
export const groupIdOf = ({ cluster, kind, namespace, name }: TargetKey): string =>
  digest([`${cluster}/${kind}/${namespace}/${name}`]);

/**
 * Deduplication id. SQS swallows a repeated id for five minutes even after the first copy was deleted, so it must differ
 * whenever the wake-up says something new, and be equal for the same event sent by two relays (DESIGN §3.2).
 */
export const deduplicationIdOf = (message: Message): string => {
  const { cluster, epoch, target, cause, reason, occasion = '' } = message;
  const who = [cluster, target.kind, target.namespace, target.name, reason, epoch];
  return digest(occasion === '' ? [...who, cause.uid, cause.resourceVersion] : [...who, occasion]);
};
