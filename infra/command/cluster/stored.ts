/** A cluster that is entered by what AWS keeps: a kubeconfig or a token, in Secrets Manager or Parameter Store. */
import { PermanentError } from '../../../lib/errors/expected.ts';
import type { Registration } from '../../../lib/state/clusters.ts';
import type { Where } from '../installation.ts';
import { caDataIn, serverIn } from './registration.ts';

/** Options of that way. */
export interface StoredOptions {
  readonly secret?: string;
  readonly parameter?: string;
  readonly server?: string;
  readonly caData?: string;
  readonly context?: string;
}

const nameRest = /^[\w/+=.@-]{1,200}$/;

/** What functions may read (infra/roles.yml). */
const isReadable = (name: string, before: string): boolean =>
  name.startsWith(before) && nameRest.test(name.slice(before.length));

/** The way in. @throws PermanentError with one sentence */
export const storedWay = (
  { secret, parameter, server, caData, context }: StoredOptions,
  region: string,
  { prefix, stage }: Pick<Where, 'prefix' | 'stage'>,
): Extract<Registration, { readonly access: 'stored' }> => {
  const invalid = (why: string): PermanentError => new PermanentError('Usage', why);
  const name = secret ?? parameter ?? '';
  if ((secret === undefined) === (parameter === undefined)) throw invalid('give --secret or --parameter, one of them');
  const before = `${parameter === undefined ? '' : '/'}${prefix}/${stage}/cluster/`;
  if (!isReadable(name, before))
    throw invalid(`its name begins with ${before}, as functions may read no other; ${name} does not`);
  const place = { access: 'stored', store: secret === undefined ? 'ssm' : 'secretsmanager', name, region } as const;
  if (server === undefined) {
    if (caData !== undefined) throw invalid('--ca-data goes with --server');
    return { ...place, form: 'kubeconfig', ...(context !== undefined && { context }) };
  }
  if (context !== undefined) throw invalid('--context is of a kubeconfig, and --server says that a token is kept');
  return { ...place, form: 'token', server: serverIn(server), caData: caData === undefined ? '' : caDataIn(caData) };
};
