/** Every statement of every policy in a CloudFormation template, with ARNs as they are once AWS's own variables are left out. */
import type { Template } from './packaged-template.ts';

/** One statement, in the policy or role of a template. */
export interface PolicyStatement {
  readonly in: string;
  readonly effect: string;
  readonly actions: readonly string[];
  readonly resources: readonly string[];
}

interface Written {
  readonly Effect: string;
  readonly Action?: string | readonly string[];
  readonly NotAction?: unknown;
  readonly Resource?: unknown;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

/** Statements anywhere below; a condition's branches are both looked at. */
const statementsIn = (value: unknown): readonly Written[] => {
  if (Array.isArray(value)) return value.flatMap(statementsIn);
  if (!isObject(value)) return [];
  if ('Effect' in value && ('Action' in value || 'NotAction' in value)) return [value as unknown as Written];
  return Object.values(value).flatMap(statementsIn);
};

/** Texts of an ARN: what an intrinsic function names is no wildcard. */
const textsOf = (resource: unknown): readonly string[] => {
  if (typeof resource === 'string') return [resource.replaceAll(/\$\{[^}]*\}/g, '')];
  if (Array.isArray(resource)) return resource.flatMap(textsOf);
  if (!isObject(resource)) return [];
  if ('Fn::Join' in resource) {
    const [between, parts] = resource['Fn::Join'] as readonly [string, readonly unknown[]];
    return [parts.flatMap(textsOf).join(between)];
  }
  if ('Ref' in resource || 'Fn::GetAtt' in resource) return [''];
  return Object.values(resource).flatMap(textsOf);
};

/** All of a template; trust policies too, which have no resources. */
export const policyStatements = ({ Resources }: Pick<Template, 'Resources'>): readonly PolicyStatement[] =>
  Object.entries(Resources).flatMap(([name, resource]) =>
    statementsIn(resource.Properties).map(({ Effect, Action, NotAction, Resource }) => ({
      in: name,
      effect: Effect,
      actions: NotAction === undefined ? [Action ?? []].flat() : ['*'],
      resources: textsOf(Resource ?? []),
    })),
  );
