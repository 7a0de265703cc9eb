/** What a Build says about a pass that failed (DESIGN §4: only invalid input is final). Pure. */
import type { Build, BuildStatus } from '../api/build.ts';
import type { Condition } from '../api/condition.ts';
import { type ExpectedError, PermanentError } from '../errors/expected.ts';
import { isKubeError } from '../kube/errors.ts';
import { withTransitionTimes } from '../reconcile/conditions.ts';
import { isFinished } from './is-finished.ts';
import { succeeded } from './status.ts';
import { Waiting } from './waiting.ts';

/** `User "…"` as the API server's refusals name who asked. */
const refusedUser = /User "([^"]+)"/;

/** The binding that would help: permissions in tenants' namespaces are granted one by one (DESIGN §3.15). */
const bindingHint = (message: string, namespace: string): string => {
  const user = refusedUser.exec(message)?.[1];
  const subject = user === undefined ? '' : ` --user=${user}`;
  return `${message}. If the grant is missing: kubectl create rolebinding kpackless-tenant -n ${namespace} --clusterrole=kpackless-tenant${subject}`;
};

/** What the API server's Pod Security admission says; only steps of image extensions give it a reason to. */
const refusedRoot = /violates PodSecurity/;

const extensionHint = (message: string): string =>
  `${message}. Builders with image extensions have steps that run as root, which namespaces with the Pod Security Standard restricted refuse: use a builder without, or a namespace that enforces baseline`;

/** The status after `failure`; undefined for a finished Build, whose status is frozen. */
export const statusAfter = (
  build: Build,
  failure: ExpectedError | PermanentError,
  now: Date,
): BuildStatus | undefined => {
  if (isFinished(build)) return undefined;
  const said = (condition: Condition): BuildStatus => ({
    ...build.status,
    conditions: [...withTransitionTimes([condition], build.status?.conditions, now)],
    observedGeneration: build.metadata.generation,
  });
  if (failure instanceof PermanentError) return said(succeeded('False', failure.reason, failure.message));
  if (failure instanceof Waiting) return said(succeeded('Unknown', failure.reason, failure.message));
  if (!isKubeError(failure, 'forbidden')) return said(succeeded('Unknown', 'Retrying', failure.message));
  return refusedRoot.test(failure.message)
    ? said(succeeded('Unknown', 'PodRefused', extensionHint(failure.message)))
    : said(succeeded('Unknown', 'Retrying', bindingHint(failure.message, build.metadata.namespace ?? '')));
};
