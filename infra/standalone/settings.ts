/** What the standalone process is told by its environment, beside what handlers read there (functions/settings.ts). */
import * as v from 'valibot';
import { mistakes } from '../../functions/mistakes.ts';
import { parseGrant, printGrant } from '../../lib/clusters/grant-text.ts';
import { PermanentError } from '../../lib/errors/expected.ts';
import type { StandaloneOptions } from './standalone.ts';

/** What can be said in an environment: no code, and no cluster that is reached by an AWS identity. */
export type StandaloneSettings = Omit<StandaloneOptions, 'between' | 'registration' | 'sweepMilliseconds'> & {
  readonly registration: Extract<StandaloneOptions['registration'], { readonly access: 'kubeconfig' | 'in-cluster' }>;
};

const port = v.pipe(
  v.string(),
  v.check((given) => /^\d{1,5}$/.test(given) && Number(given) <= 65_535, 'must be a port'),
  v.transform(Number),
);
const optional = v.optional(
  v.pipe(
    v.string(),
    v.transform((given) => (given === '' ? undefined : given)),
  ),
);

const count = v.optional(
  v.pipe(
    v.string(),
    v.regex(/^(?:[1-9]\d{0,4})?$/, 'must be a whole number from 1 to 99999'),
    v.transform((given) => (given === '' ? undefined : Number(given))),
  ),
  '',
);

const grants = v.optional(
  v.pipe(
    v.string(),
    v.rawTransform(({ dataset: { value }, addIssue, NEVER }) => {
      try {
        return value
          .split('\n')
          .filter((line) => line.trim() !== '')
          .map(parseGrant);
      } catch (error) {
        if (!(error instanceof PermanentError)) throw error;
        addIssue({ message: error.message });
        return NEVER;
      }
    }),
  ),
  '',
);

const variables = v.object({
  /** The name that its cluster is registered under. */
  KPACKLESS_CLUSTER: v.optional(
    v.pipe(
      v.string(),
      v.regex(
        /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/,
        'must be a name of a cluster: letters, digits, dot, dash, underscore, at most 100',
      ),
    ),
    'local',
  ),
  /** How it enters the cluster; the pod's own ServiceAccount without. */
  KPACKLESS_KUBECONFIG: optional,
  /** The SQLite file; without, everything is made anew at each start. */
  KPACKLESS_DATABASE: optional,
  /** Grants in registries as `kpackless cluster add --grant` takes them, one a line. */
  KPACKLESS_GRANTS: grants,
  /** How fast the cluster's API is asked at most; only the server's own refusals slow it without. As many at once as in a second unless it is said. */
  KPACKLESS_REQUESTS_PER_SECOND: count,
  KPACKLESS_REQUEST_BURST: count,
  /** Where it listens for probes and hooks. */
  KPACKLESS_LISTEN: v.optional(v.pipe(v.string(), v.ip('must be an address of this machine')), '127.0.0.1'),
  KPACKLESS_HEALTH_PORT: v.optional(port, '8080'),
  KPACKLESS_HOOK_PORT: v.optional(port),
  /** Where it converts between v1alpha1 and v1alpha2; nowhere without. */
  KPACKLESS_CONVERSION_PORT: v.optional(port),
  KPACKLESS_LOG_FILE: optional,
  /** The secrets of hooks, which handlers read: never shown, only asked whether it is there. */
  KPACKLESS_HOOK_SECRET: optional,
});

const schema = v.pipe(
  variables,
  v.forward(
    v.partialCheck(
      [['KPACKLESS_REQUESTS_PER_SECOND'], ['KPACKLESS_REQUEST_BURST']],
      ({ KPACKLESS_REQUESTS_PER_SECOND: perSecond, KPACKLESS_REQUEST_BURST: burst }) =>
        perSecond !== undefined || burst === undefined,
      'needs KPACKLESS_REQUESTS_PER_SECOND',
    ),
    ['KPACKLESS_REQUEST_BURST'],
  ),
  v.forward(
    v.partialCheck(
      [['KPACKLESS_HOOK_PORT'], ['KPACKLESS_HOOK_SECRET']],
      ({ KPACKLESS_HOOK_PORT: hooks, KPACKLESS_HOOK_SECRET: secret }) => hooks === undefined || secret !== undefined,
      'needs KPACKLESS_HOOK_SECRET: without, every hook is refused',
    ),
    ['KPACKLESS_HOOK_PORT'],
  ),
);

/** Reads the settings. @throws PermanentError with one line for each variable that is wrong */
export const standaloneSettings = (environment: Readonly<Record<string, string | undefined>>): StandaloneSettings => {
  const parsed = v.safeParse(schema, environment);
  if (!parsed.success) {
    const lines = mistakes(parsed.issues, environment).join('\n');
    throw new PermanentError('Settings', `kpackless cannot start:\n${lines}`);
  }
  const given = parsed.output;
  const { KPACKLESS_REQUESTS_PER_SECOND: perSecond, KPACKLESS_REQUEST_BURST: burst = perSecond } = given;
  const rate = perSecond === undefined || burst === undefined ? {} : { rate: { perSecond, burst } };
  return {
    cluster: given.KPACKLESS_CLUSTER,
    registration: {
      ...(given.KPACKLESS_KUBECONFIG === undefined
        ? { access: 'in-cluster' }
        : { access: 'kubeconfig', path: given.KPACKLESS_KUBECONFIG }),
      grants: given.KPACKLESS_GRANTS,
      ...rate,
    },
    databaseFile: given.KPACKLESS_DATABASE,
    listen: given.KPACKLESS_LISTEN,
    healthPort: given.KPACKLESS_HEALTH_PORT,
    hookPort: given.KPACKLESS_HOOK_PORT,
    conversionPort: given.KPACKLESS_CONVERSION_PORT,
    logFile: given.KPACKLESS_LOG_FILE,
    settings: {},
  };
};

/** The environment that says them: what `standaloneSettings` reads back. */
export const environmentOf = ({
  cluster,
  registration,
  databaseFile,
  listen,
  healthPort,
  hookPort,
  conversionPort,
  logFile,
  settings,
}: StandaloneSettings): Readonly<Record<string, string>> => {
  const said = {
    KPACKLESS_CLUSTER: cluster,
    KPACKLESS_KUBECONFIG: registration.access === 'kubeconfig' ? registration.path : undefined,
    KPACKLESS_GRANTS: registration.grants?.map(printGrant).join('\n'),
    KPACKLESS_REQUESTS_PER_SECOND: registration.rate && String(registration.rate.perSecond),
    KPACKLESS_REQUEST_BURST: registration.rate && String(registration.rate.burst),
    KPACKLESS_DATABASE: databaseFile,
    KPACKLESS_LISTEN: listen,
    KPACKLESS_HEALTH_PORT: String(healthPort),
    KPACKLESS_HOOK_PORT: hookPort === undefined ? undefined : String(hookPort),
    KPACKLESS_CONVERSION_PORT: conversionPort === undefined ? undefined : String(conversionPort),
    KPACKLESS_LOG_FILE: logFile,
    ...settings,
  };
  return Object.fromEntries(
    Object.entries(said).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
};
