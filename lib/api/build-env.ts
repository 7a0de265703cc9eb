/** Which variables of a build may say where their value comes from (spec 01 §4.1, rule 14 of its admission). */
import type { EnvVar } from 'kubernetes-types/core/v1.d.ts';
import { PermanentError } from '../errors/expected.ts';

/** What tells a pod about itself. Everything else reads objects that whoever makes the build may not be allowed to read. */
const harmless: ReadonlySet<string> = new Set(['fieldRef', 'resourceFieldRef']);

/**
 * Refuses variables that take their value from a Secret, a ConfigMap or whatever Kubernetes may come to offer: the value would be in the log of
 * the build for everybody who may read it. kpack refuses Secrets at admission. `path` is that of the list.
 * @throws PermanentError
 */
export const refuseEnvReferences = (env: readonly EnvVar[] | undefined, path: string): void => {
  for (const [index, { valueFrom = {} }] of (env ?? []).entries()) {
    const wrong = Object.entries(valueFrom ?? {}).find(([kind, value]) => value != null && !harmless.has(kind))?.[0];
    if (wrong === undefined) continue;
    const kind = /^[A-Za-z]{1,40}$/u.test(wrong) ? wrong : 'that';
    throw new PermanentError(
      'Invalid',
      `${kind} is not supported for build environment variables: ${path}[${index}].valueFrom.${kind}; write the value, or bind the Secret as a service`,
    );
  }
};
