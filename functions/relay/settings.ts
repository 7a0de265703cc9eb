/** What the relay is told by its environment. It needs little, and is told no more. */
import * as v from 'valibot';

const text = v.pipe(v.optional(v.string(), ''), v.minLength(1, 'must not be empty'));

const schema = v.object({
  /** The name that its cluster is registered under. */
  KPACKLESS_CLUSTER: v.pipe(
    v.optional(v.string(), ''),
    v.minLength(1, 'names no cluster: give the name that this cluster is registered under'),
    v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'is no name of a cluster'),
  ),
  KPACKLESS_TABLE: text,
  /** Everything of a queue's URL before `<name>.fifo`. */
  KPACKLESS_QUEUE_URL_PREFIX: text,
  /** A kubeconfig to use in place of the pod's own ServiceAccount, for a relay that runs outside of its cluster. */
  KPACKLESS_KUBECONFIG: v.optional(v.string()),
  KPACKLESS_HEALTH_PORT: v.optional(
    v.pipe(v.string(), v.regex(/^\d{1,5}$/, 'must be a port'), v.transform(Number)),
    '8080',
  ),
});

/** Reads the settings. @throws Error with one line for each variable that is missing or wrong */
export const relaySettingsFrom = (
  environment: Readonly<Record<string, string | undefined>>,
): v.InferOutput<typeof schema> => {
  const parsed = v.safeParse(schema, environment);
  if (parsed.success) return parsed.output;
  const lines = parsed.issues.map((issue) => `${v.getDotPath(issue) ?? '?'} ${issue.message}`);
  throw new Error(`the relay cannot start:\n${lines.join('\n')}`);
};
