/** What a Build says about a pass that failed (DESIGN §4: only invalid input is final). Pure. */
import type { Build, BuildStatus } from '../api/build.ts';
import type { Condition } from '../api/condition.ts';
import { type ExpectedError, PermanentError } from '../errors/expected.ts';
import { isDenial } from '../kube/denied.ts';
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
  // A quota or an admission controller refuses without a user: no grant helps.
  return user === undefined
    ? message
    : `${message}. If the grant is missing: kubectl create rolebinding kpackless-tenant -n ${namespace} --clusterrole=kpackless-tenant --user=${user}`;
};

/** What the API server says of a pod whose priority class is not there. */
const missingClass = /no PriorityClass with name (\S+) was found/;

/** kpack's classes (spec 02 §4.4): what users wait for throws others out, the rest waits. */
const priorityClasses: Readonly<Record<string, string>> = {
  'kpack-build-high-priority': '--value=1000',
  'kpack-build-low-priority': '--value=1 --preemption-policy=Never',
};

const classHint = (message: string, name: string): string => {
  const options = priorityClasses[name];
  const what =
    options === undefined
      ? 'create it, or name another in spec.priorityClassName'
      : `kubectl create priorityclass ${name} ${options}, or switch KPACKLESS_PRIORITY_CLASSES off`;
  return `${message}: ${what}`;
};

/** What the API server says of a pod whose runtime class is not there. */
const missingRuntime = /RuntimeClass "([^"]{1,253})" not found/;

/** What the API server's Pod Security admission says; only steps of image extensions give it a reason to. */
const refusedRoot = /violates PodSecurity/;

const extensionHint =
  'Builders with image extensions have steps that run as root, which namespaces with the Pod Security Standard restricted refuse: use a builder without, or a namespace that enforces baseline';

/** What admission refuses, with what to do; undefined for what lacks a grant, or room in a quota. */
const refusal = (message: string): string | undefined => {
  if (refusedRoot.test(message)) return `${message}. ${extensionHint}`;
  const name = missingClass.exec(message)?.[1];
  if (name !== undefined) return classHint(message, name);
  const runtime = missingRuntime.exec(message)?.[1];
  if (runtime !== undefined)
    return `${message}: create RuntimeClass ${runtime}, or name another in spec.runtimeClassName`;
  return isDenial(message) ? `${message}; it is tried again, and goes on once the policy admits the pod` : undefined;
};

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
  const { message } = failure;
  if (!isKubeError(failure, 'forbidden')) return said(succeeded('Unknown', 'Retrying', message));
  const refused = refusal(message);
  return refused === undefined
    ? said(succeeded('Unknown', 'Retrying', bindingHint(message, build.metadata.namespace ?? '')))
    : said(succeeded('Unknown', 'PodRefused', refused));
};
