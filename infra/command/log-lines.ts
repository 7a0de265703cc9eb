/** Lines of our own log about an object (lib/reconcile/log.ts), from wherever they are kept. */
import * as v from 'valibot';
import type { LoggedPass, LoggedTarget } from './installation.ts';

const schema = v.object({
  at: v.string(),
  what: v.string(),
  cluster: v.string(),
  kind: v.string(),
  namespace: v.string(),
  name: v.string(),
  result: v.optional(v.string()),
  why: v.optional(v.string()),
  ms: v.optional(v.number()),
});

/** What a line says of a pass of `target`; undefined when it says nothing of it. */
export const passInLine = (line: string, target: LoggedTarget): LoggedPass | undefined => {
  // Cheap first: a log has a million lines of others.
  if (!line.includes(JSON.stringify(target.name))) return undefined;
  let said: unknown;
  try {
    said = JSON.parse(line.slice(Math.max(0, line.indexOf('{'))));
  } catch {
    return undefined;
  }
  const parsed = v.safeParse(schema, said);
  if (!parsed.success) return undefined;
  const { cluster, kind, namespace, name, ...pass } = parsed.output;
  const isIts =
    cluster === target.cluster && kind === target.kind && namespace === target.namespace && name === target.name;
  return isIts ? pass : undefined;
};
