/** What the relay is told by its environment. It needs little, and is told no more. */
import * as v from 'valibot';
import { mistakes } from '../mistakes.ts';

const text = v.pipe(v.optional(v.string(), ''), v.minLength(1, 'must not be empty'));

const variables = v.object({
  /** The name that its cluster is registered under; of several, with commas between, if each is a context of KPACKLESS_KUBECONFIG. */
  KPACKLESS_CLUSTER: v.pipe(
    v.optional(v.string(), ''),
    v.minLength(1, 'must be the name that this cluster is registered under'),
    v.transform((names) => names.split(',').map((name) => name.trim())),
    v.array(
      v.pipe(
        v.string(),
        v.regex(
          /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/,
          'must be a name of a cluster: letters, digits, dot, dash, underscore, at most 100',
        ),
      ),
    ),
    v.check((names) => new Set(names).size === names.length, 'must name no cluster twice'),
  ),
  KPACKLESS_TABLE: text,
  /** Everything of a queue's URL before `<name>.fifo`. */
  KPACKLESS_QUEUE_URL_PREFIX: text,
  /** A kubeconfig to use in place of the pod's own ServiceAccount, for a relay that runs outside of its cluster. */
  KPACKLESS_KUBECONFIG: v.optional(v.string()),
  /** Lists and sends everything at the start, also what was sent before. */
  KPACKLESS_LIST_EVERYTHING: v.pipe(
    v.optional(v.picklist(['true', 'false'], 'must be true or false'), 'false'),
    v.transform((text) => text === 'true'),
  ),
  /** Where it converts between v1alpha1 and v1alpha2 for its cluster; nowhere when it is empty. */
  KPACKLESS_CONVERSION_PORT: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^\d{0,5}$/, 'must be a port'),
      v.transform((given) => (given === '' ? undefined : Number(given))),
    ),
    '',
  ),
  KPACKLESS_HEALTH_PORT: v.optional(
    v.pipe(v.string(), v.regex(/^\d{1,5}$/, 'must be a port'), v.transform(Number)),
    '8080',
  ),
});

const schema = v.pipe(
  variables,
  v.forward(
    // Whatever else is wrong: all of it is said together.
    v.partialCheck(
      [['KPACKLESS_CLUSTER'], ['KPACKLESS_KUBECONFIG']],
      ({ KPACKLESS_CLUSTER: clusters, KPACKLESS_KUBECONFIG: file }) => clusters.length === 1 || file !== undefined,
      'must be one cluster, unless KPACKLESS_KUBECONFIG is a kubeconfig in which each is a context',
    ),
    ['KPACKLESS_CLUSTER'],
  ),
  v.forward(
    v.partialCheck(
      [['KPACKLESS_CLUSTER'], ['KPACKLESS_CONVERSION_PORT']],
      ({ KPACKLESS_CLUSTER: clusters, KPACKLESS_CONVERSION_PORT: conversion }) =>
        clusters.length === 1 || conversion === undefined,
      'must be empty where several clusters are watched: each API server calls a relay of its own',
    ),
    ['KPACKLESS_CONVERSION_PORT'],
  ),
);

/** Reads the settings. @throws Error with one line for each variable that is missing or wrong */
export const relaySettingsFrom = (
  environment: Readonly<Record<string, string | undefined>>,
): v.InferOutput<typeof schema> => {
  const parsed = v.safeParse(schema, environment);
  if (parsed.success) return parsed.output;
  throw new Error(`the relay cannot start:\n${mistakes(parsed.issues, environment).join('\n')}`);
};
