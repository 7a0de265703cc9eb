/** The bindings of a Build, resolved to names of Secrets (spec 03 §1.2). */
import type { Secret } from 'kubernetes-types/core/v1.d.ts';
import type { Build } from '../../api/build.ts';
import { PermanentError } from '../../errors/expected.ts';
import type { Binding } from '../pod/context.ts';
import { saysItIsCredential } from './service-account.ts';

/** One entry of `spec.services` with the Secret it turned out to stand for; undefined while it offers none. */
export interface ResolvedService {
  readonly name: string;
  readonly secret: string | undefined;
}

/** Whether the Build binds anything at all. */
export const hasBindings = ({ spec }: Build): boolean =>
  (spec.services ?? []).length > 0 || (spec.cnbBindings ?? []).length > 0;

const refused = (what: string, name: string, secret: string): PermanentError =>
  new PermanentError('', `build rejected: ${what} "${name}" uses forbidden secret "${secret}"`);

const refuseForbidden = (what: string, name: string, secret: string | undefined, forbidden: ReadonlySet<string>) => {
  if (secret !== undefined && forbidden.has(secret)) throw refused(what, name, secret);
};

/** Throws PermanentError for a Secret that says itself that it is a credential; `secrets` are those of `bound`, missing ones undefined. */
export const refuseCredentials = (bound: readonly Binding[], secrets: readonly (Secret | undefined)[]): void => {
  for (const [index, { kind, name, secret = '' }] of bound.entries()) {
    const found = secrets[index];
    if (found !== undefined && saysItIsCredential(found))
      throw refused(kind === 'service' ? 'service' : 'binding', name, secret);
  }
};

/**
 * What the pod mounts. Services put legacy bindings aside entirely. Throws PermanentError for a Secret that holds credentials of any
 * account in the namespace: buildpacks would read them.
 */
export const bindingsFrom = (
  { spec }: Build,
  services: readonly ResolvedService[],
  forbidden: ReadonlySet<string>,
): readonly Binding[] => {
  if (services.length > 0)
    return services.map(({ name, secret }) => {
      refuseForbidden('service', name, secret, forbidden);
      return { kind: 'service', name, secret };
    });
  return (spec.cnbBindings ?? []).map(({ name, metadataRef, secretRef }) => {
    refuseForbidden('binding', name, secretRef?.name, forbidden);
    return { kind: 'cnb', name, metadata: metadataRef.name, secret: secretRef?.name };
  });
};
