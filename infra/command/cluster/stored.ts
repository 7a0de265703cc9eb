/** A cluster that is entered by what AWS keeps: a kubeconfig or a token, in Secrets Manager or Parameter Store. */
import { PermanentError } from '../../../lib/errors/expected.ts';
import type { Registration } from '../../../lib/state/clusters.ts';
import { caDataIn, serverIn } from './registration.ts';

/** Options of that way. */
export interface StoredOptions {
  readonly secret?: string;
  readonly parameter?: string;
  readonly server?: string;
  readonly caData?: string;
  readonly context?: string;
}

/** What functions may read (infra/roles.yml). */
const secretPattern = /^kpackless\/cluster\/[\w/+=.@-]{1,200}$/;
const parameterPattern = /^\/kpackless\/cluster\/[\w./-]{1,200}$/;

/** The way in. @throws PermanentError with one sentence */
export const storedWay = (
  { secret, parameter, server, caData, context }: StoredOptions,
  region: string,
): Extract<Registration, { readonly access: 'stored' }> => {
  const invalid = (why: string): PermanentError => new PermanentError('Usage', why);
  const name = secret ?? parameter ?? '';
  if ((secret === undefined) === (parameter === undefined)) throw invalid('give --secret or --parameter, one of them');
  if (secret !== undefined && !secretPattern.test(secret))
    throw invalid(
      `the name of the secret begins with kpackless/cluster/, as functions may read no other; ${secret} does not`,
    );
  if (parameter !== undefined && !parameterPattern.test(parameter))
    throw invalid(
      `the name of the parameter begins with /kpackless/cluster/, as functions may read no other; ${parameter} does not`,
    );
  const place = { access: 'stored', store: secret === undefined ? 'ssm' : 'secretsmanager', name, region } as const;
  if (server === undefined) {
    if (caData !== undefined) throw invalid('--ca-data goes with --server');
    return { ...place, form: 'kubeconfig', ...(context !== undefined && { context }) };
  }
  if (context !== undefined) throw invalid('--context is of a kubeconfig, and --server says that a token is kept');
  return { ...place, form: 'token', server: serverIn(server), caData: caData === undefined ? '' : caDataIn(caData) };
};
