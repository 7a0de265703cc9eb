/**
 * Whether a role may do something, as IAM decides it (IAM User Guide, "Policy evaluation logic"): an explicit Deny wins, then an Allow, else no.
 * Only what our policies use: an element or operator that is not known here is an error, so that nothing is granted by being misunderstood.
 */

/** A statement of a policy, with the name of the policy. */
export interface Statement {
  readonly policy: string;
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
  readonly Sid?: string;
}

/** What somebody asks for. */
export interface Asked {
  /** `dynamodb:GetItem`. */
  readonly action: string;
  /** Its ARN, or `*` where the action concerns none. */
  readonly resource: string;
  /** Values by condition key, `dynamodb:LeadingKeys`. */
  readonly context: Readonly<Record<string, readonly string[]>>;
}

/** The answer, with what decided it. */
export type Decision =
  | { readonly allowed: true; readonly by: Statement }
  | { readonly allowed: false; readonly by: Statement | undefined };

const known = new Set(['policy', 'Sid', 'Effect', 'Action', 'Resource', 'Condition']);

const listOf = (value: string | readonly string[]): readonly string[] => (typeof value === 'string' ? [value] : value);

/** `*` is any text, `?` one character; everything else is itself. */
const matches = (pattern: string, text: string): boolean => {
  const [first = '', ...rest] = pattern.split('*');
  if (rest.length === 0) return pattern === text;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const [index, part] of rest.entries()) {
    const found = index === rest.length - 1 ? text.length - part.length : text.indexOf(part, at);
    if (found < at || !text.startsWith(part, found)) return false;
    at = found + part.length;
  }
  return true;
};

const equals = (pattern: string, text: string): boolean => pattern === text;

/** Condition operators: how a key's values are held against the pattern's. */
const operators: Readonly<Record<string, (asked: readonly string[], wanted: readonly string[]) => boolean>> = {
  StringEquals: (asked, wanted) => asked.length > 0 && asked.every((one) => wanted.some((each) => equals(each, one))),
  StringLike: (asked, wanted) => asked.length > 0 && asked.every((one) => wanted.some((each) => matches(each, one))),
  ArnLike: (asked, wanted) => asked.length > 0 && asked.every((one) => wanted.some((each) => matches(each, one))),
  'ForAnyValue:StringLike': (asked, wanted) => asked.some((one) => wanted.some((each) => matches(each, one))),
  // True of no values at all, as IAM says of ForAllValues.
  'ForAllValues:StringEquals': (asked, wanted) => asked.every((one) => wanted.some((each) => equals(each, one))),
  'ForAllValues:StringLike': (asked, wanted) => asked.every((one) => wanted.some((each) => matches(each, one))),
};

const holds = ({ Condition = {} }: Statement, { context }: Asked): boolean =>
  Object.entries(Condition).every(([operator, keys]) => {
    const test = operators[operator];
    if (test === undefined) throw new Error(`condition operator ${operator} is not known: teach it to permissions.ts`);
    return Object.entries(keys).every(([key, wanted]) => test(context[key] ?? [], listOf(wanted)));
  });

const concerns = (statement: Statement, asked: Asked): boolean => {
  const unknown = Object.keys(statement).find((key) => !known.has(key));
  if (unknown !== undefined) throw new Error(`${unknown} in policy ${statement.policy} is not known to permissions.ts`);
  return (
    // Actions are compared without regard to case.
    listOf(statement.Action).some((action) => matches(action.toLowerCase(), asked.action.toLowerCase())) &&
    listOf(statement.Resource).some((resource) => matches(resource, asked.resource)) &&
    holds(statement, asked)
  );
};

/** Decides by all statements of a role. */
export const decide = (statements: readonly Statement[], asked: Asked): Decision => {
  const concerned = statements.filter((statement) => concerns(statement, asked));
  const denied = concerned.find(({ Effect }) => Effect === 'Deny');
  if (denied !== undefined) return { allowed: false, by: denied };
  const allowed = concerned.find(({ Effect }) => Effect === 'Allow');
  return allowed === undefined ? { allowed: false, by: undefined } : { allowed: true, by: allowed };
};

/** Each action that the statements allow, as `policy action`: for the list of what was never used. */
export const grantsOf = (statements: readonly Statement[]): readonly string[] =>
  statements
    .filter(({ Effect }) => Effect === 'Allow')
    .flatMap(({ policy, Action }) => listOf(Action).map((action) => `${policy} ${action}`));
