/** What `npm start` understands. */
import { grantForm, parseGrant } from '../../lib/clusters/grant-text.ts';
import { PermanentError } from '../../lib/errors/expected.ts';
import type { RegistryGrant } from '../../lib/state/clusters.ts';
import { type Given, readCommandLine } from '../command-line/read.ts';

/** The command line, checked. */
export interface StartOptions {
  /** An existing cluster; the local one without. */
  readonly target:
    | { readonly kubeconfig: string; readonly context: string | undefined; readonly registry: string }
    | undefined;
  readonly exitWhenReady: boolean;
  readonly reset: boolean;
  readonly help: boolean;
  /** What the cluster's objects may do in registries with this process's AWS identity; nothing by default. */
  readonly grants: readonly RegistryGrant[];
}

/** How it is used. */
export const usage = `npm start [-- options]

Starts kpackless on one machine and builds a sample image. Without --kubeconfig or --context it brings up a
Kubernetes cluster of its own; KUBECONFIG in the environment is never followed.

  --kubeconfig FILE   use the cluster of this kubeconfig
  --context NAME      use this context (of --kubeconfig, or of ~/.kube/config)
  --registry HOST     registry that the given cluster pulls from, as host or host:port
  --exit-when-ready   exit with 0 once the sample image runs, or with 1 when it does not
  --grant GRANT       let objects enter a registry of ECR with your AWS identity (repeatable); a GRANT is
                      ${grantForm}
  --reset             forget the state of earlier starts; ends then, unless --exit-when-ready is given too
  --help              this text
`;

const invalid = (message: string): PermanentError => new PermanentError('Usage', `${message}; see npm start -- --help`);

/** Reads the arguments. @throws PermanentError with one sentence */
export const startOptions = (given: Given, home: string): StartOptions => {
  const { values } = readCommandLine(
    {
      name: 'npm start',
      options: {
        kubeconfig: { type: 'string' },
        context: { type: 'string' },
        registry: { type: 'string' },
        'exit-when-ready': { type: 'boolean' },
        grant: { type: 'string', multiple: true },
        reset: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    },
    given,
  );
  const text = (name: 'kubeconfig' | 'context' | 'registry'): string | undefined => {
    const value = values[name];
    if (value === '') throw invalid(`--${name} needs a value`);
    return value;
  };
  const [kubeconfig, context, registry] = [text('kubeconfig'), text('context'), text('registry')];
  const isGiven = kubeconfig !== undefined || context !== undefined;
  if (isGiven && registry === undefined)
    throw invalid('a given cluster needs --registry: the host that it pulls images from and this machine pushes to');
  if (!isGiven && registry !== undefined)
    throw invalid('--registry goes with --kubeconfig or --context: the local cluster has its own');
  return {
    target: isGiven
      ? { kubeconfig: kubeconfig ?? `${home}/.kube/config`, context, registry: registry ?? '' }
      : undefined,
    exitWhenReady: values['exit-when-ready'] === true,
    reset: values.reset === true,
    help: values.help === true,
    grants: (values.grant ?? []).map(parseGrant),
  };
};
