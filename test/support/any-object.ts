/** Objects that fit a structural schema: every field is there or not, with any value of its type. */
import * as fc from 'fast-check';
import type { StructuralSchema } from '../../infra/crds/structural-schema.ts';

/** A schema as it stands in a definition, with what infra/crds/structural-schema.ts has no word for. */
interface Node extends StructuralSchema {
  readonly minimum?: number;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly format?: string;
  readonly 'x-kubernetes-int-or-string'?: boolean;
}

const amounts = fc.oneof(
  fc.integer({ min: 1, max: 1_000_000 }),
  fc.integer({ min: 1, max: 999 }).map((number) => `${number}Gi`),
  fc.constantFrom('0.5', '1.5Gi', '500m', '1e3'),
);

const words = fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' });
const namedWords = fc.stringMatching(/^[a-z0-9][a-z0-9.-]{0,11}$/);

/** What a rule lets be chosen, as lib/api/field.ts writes it. */
const chosenIn = (node: Node): readonly string[] | undefined => {
  const rule = node['x-kubernetes-validations']?.find(({ rule }) => rule.startsWith('self in ['))?.rule;
  return rule === undefined || rule.includes('||')
    ? undefined
    : (rule.match(/'[^']*'/g) ?? []).map((text) => text.slice(1, -1));
};

const text = (node: Node): fc.Arbitrary<string> => {
  const chosen = chosenIn(node) ?? node.enum;
  if (chosen !== undefined) return fc.constantFrom(...chosen);
  return node.format === 'date-time' ? fc.constant('2026-01-01T00:00:00Z') : fc.oneof(words, namedWords);
};

const member =
  (required: readonly string[] | undefined) =>
  ([name, node]: readonly [string, Node]) => {
    const value = anyFitting(node);
    return [name, required?.includes(name) === true ? value : fc.option(value, { nil: undefined })] as const;
  };

/** Any value that fits `node`. A missing member is undefined. */
export const anyFitting = (node: Node): fc.Arbitrary<unknown> => {
  if (node['x-kubernetes-int-or-string'] === true || (node.type === undefined && node.pattern !== undefined))
    return amounts;
  if (node.type === 'string') return text(node);
  if (node.type === 'boolean') return fc.boolean();
  if (node.type === 'integer' || node.type === 'number') return fc.integer({ min: node.minimum ?? -5, max: 100_000 });
  if (node.type === 'array') return fc.array(anyFitting(node.items ?? {}), { minLength: 1, maxLength: 3 });
  if (node.additionalProperties !== undefined)
    return fc.dictionary(namedWords, anyFitting(node.additionalProperties), { minKeys: 1, maxKeys: 3 });
  return fc
    .record(Object.fromEntries(Object.entries(node.properties ?? {}).map(member(node.required))))
    .map((object) => Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)));
};
