/** Whether somebody may do what RBAC is to let him: one review for each verb of each resource of a role (authorization.k8s.io/v1). */
import * as v from 'valibot';
import { ExpectedError } from '../errors/expected.ts';
import type { KubeTransport } from './transport.ts';

/** A rule of a Role or ClusterRole (rbac.authorization.k8s.io/v1 `PolicyRule`). */
export interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

/** One thing that may be done (`ResourceAttributes`). */
export interface Deed {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly name?: string;
  /** In one namespace; in all of them without. */
  readonly namespace?: string;
}

/** Whoever asks, or somebody else, of whom only who may make SubjectAccessReviews asks. */
export type Subject = 'self' | { readonly user: string; readonly groups: readonly string[] };

/** Everything that `rules` let. `resourcesOf` names those that `*` stands for in a group. */
export const deedsOf = (
  rules: readonly PolicyRule[],
  resourcesOf: (group: string) => readonly string[],
  namespace?: string,
): readonly Deed[] =>
  rules.flatMap(({ apiGroups, resources, verbs, resourceNames = [undefined] }) =>
    apiGroups.flatMap((group) =>
      resources
        .flatMap((resource) => (resource === '*' ? resourcesOf(group) : [resource]))
        .flatMap((whole) =>
          verbs.flatMap((verb) =>
            resourceNames.map((name) => {
              const [resource = '', subresource] = whole.split('/');
              return {
                verb,
                group,
                resource,
                ...(subresource !== undefined && { subresource }),
                ...(name !== undefined && { name }),
                ...(namespace !== undefined && { namespace }),
              };
            }),
          ),
        ),
    ),
  );

/** `get secrets`, `update images.kpack.io/status in team-a`. */
export const showDeed = ({ verb, group, resource, subresource, namespace }: Deed): string =>
  [
    verb,
    `${resource}${group === '' ? '' : `.${group}`}${subresource === undefined ? '' : `/${subresource}`}`,
    ...(namespace === undefined ? [] : [`in ${namespace}`]),
  ].join(' ');

const answer = v.object({ status: v.object({ allowed: v.boolean() }) });
const path = '/apis/authorization.k8s.io/v1';

/** Asks. @throws KubeError, `forbidden` when the asker may not ask for others; ExpectedError */
export const isAllowed = async (transport: KubeTransport, subject: Subject, deed: Deed): Promise<boolean> => {
  const kind = subject === 'self' ? 'SelfSubjectAccessReview' : 'SubjectAccessReview';
  const spec = { resourceAttributes: deed, ...(subject !== 'self' && subject) };
  const { body } = await transport.send({
    method: 'POST',
    path: `${path}/${kind.toLowerCase()}s`,
    body: JSON.stringify({ apiVersion: 'authorization.k8s.io/v1', kind, spec }),
  });
  const parsed = v.safeParse(answer, JSON.parse(body));
  if (!parsed.success) throw new ExpectedError(`${transport.server} did not say whether ${showDeed(deed)} is allowed`);
  return parsed.output.status.allowed;
};

/** Reviews at once: the API server answers them from memory. */
const atOnce = 10;

/** Those of `deeds` that are not allowed. @throws as `isAllowed` */
export const refusedDeeds = async (
  transport: KubeTransport,
  subject: Subject,
  deeds: readonly Deed[],
): Promise<readonly Deed[]> => {
  const refused: Deed[] = [];
  for (let from = 0; from < deeds.length; from += atOnce) {
    const some = deeds.slice(from, from + atOnce);
    const allowed = await Promise.all(some.map((deed) => isAllowed(transport, subject, deed)));
    refused.push(...some.filter((_, index) => allowed[index] !== true));
  }
  return refused;
};
