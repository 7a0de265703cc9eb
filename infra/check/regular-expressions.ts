/** Every regular expression of a TypeScript source, found in its syntax tree, not in its text. */
import { parseSync, Visitor } from 'oxc-parser';

/** A place at which a regular expression is made. */
export interface Place {
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

/** A pattern that is written down. */
export interface WrittenPattern extends Place {
  readonly source: string;
  readonly flags: string;
}

/** What a source makes regular expressions of. */
export interface Found {
  readonly patterns: readonly WrittenPattern[];
  /** Patterns put together at run time: nobody can judge them before. */
  readonly madeAtRunTime: readonly Place[];
}

interface Span {
  readonly start: number;
}

type Argument = { readonly type: string; readonly value?: unknown } | undefined;

/** Methods of strings that make a regular expression of a text they are given. */
const fromText: ReadonlySet<string> = new Set(['match', 'matchAll', 'search']);

const isText = (argument: Argument): argument is { readonly type: string; readonly value: string } =>
  argument?.type === 'Literal' && typeof argument.value === 'string';

const isLiteral = (argument: Argument): boolean => argument?.type === 'Literal';

/** Finds them. Throws SyntaxError when `text` is no TypeScript. */
export const regularExpressionsIn = (file: string, text: string): Found => {
  const { program, errors } = parseSync(file, text);
  const [broken] = errors;
  if (broken !== undefined) throw new SyntaxError(`${file}: ${broken.message}`);
  const patterns: WrittenPattern[] = [];
  const madeAtRunTime: Place[] = [];
  const placeOf = ({ start }: Span): Place => ({ file, line: text.slice(0, start).split('\n').length });

  const made = (node: Span, [source, flags]: readonly Argument[]): void => {
    // `RegExp(/…/)` is a copy; the literal is judged by itself.
    if (isLiteral(source) && !isText(source)) return;
    if (isText(source) && (flags === undefined || isText(flags)))
      patterns.push({ ...placeOf(node), source: source.value, flags: flags?.value ?? '' });
    else madeAtRunTime.push(placeOf(node));
  };

  new Visitor({
    Literal: (node) => {
      if ('regex' in node) patterns.push({ ...placeOf(node), source: node.regex.pattern, flags: node.regex.flags });
    },
    NewExpression: (node) => {
      if (node.callee.type === 'Identifier' && node.callee.name === 'RegExp') made(node, node.arguments);
    },
    CallExpression: (node) => {
      const { callee, arguments: given } = node;
      if (callee.type === 'Identifier' && callee.name === 'RegExp') made(node, given);
      if (callee.type !== 'MemberExpression' || callee.property.type !== 'Identifier') return;
      // A text or a template; what is named by a variable is a RegExp, which is judged where it is made.
      const isMade = isText(given[0]) || given[0]?.type === 'TemplateLiteral';
      if (fromText.has(callee.property.name) && isMade) made(node, given);
    },
  }).visit(program);
  return { patterns, madeAtRunTime };
};
