/**
 * Whether a refusal of ours says what kpack's says (spec 01 §7.2). kpack writes `<text>: <paths>` and details on lines below; the API server names one
 * field per cause, a rule's message has no line breaks, and a field that is missing is the schema's to refuse, in the words of Kubernetes.
 */
import type { Answer, Cause } from './kpack-cluster.ts';

/** One error of kpack's. */
interface KpackError {
  readonly text: string;
  readonly paths: readonly string[];
  readonly details: readonly string[];
}

/** Words of kpack's that ours do not repeat, each with the reason. */
export const wording: readonly { readonly kpack: RegExp; readonly ours: string; readonly because: string }[] = [
  {
    kpack: /^expected positive integer got -?\d+$/,
    ours: 'expected positive integer',
    because: 'the API server shows the number itself, in a cause of its own',
  },
  {
    kpack: /^Immutable fields changed \(-old \+new\)$/,
    ours: 'Immutable fields changed',
    because: 'the differences have line breaks, which the message of a rule may not have',
  },
];

/** Text and paths of a line, split at its last colon; undefined for a line of details. */
const errorIn = (line: string): Pick<KpackError, 'text' | 'paths'> | undefined => {
  const colon = line.lastIndexOf(': ');
  const paths = line.slice(colon + 2);
  if (colon < 0 || !/^(?:$|spec\b|metadata\b|tag\b|stack\b|store\b|order\b)/.test(paths)) return undefined;
  return { text: line.slice(0, colon), paths: paths.split(', ') };
};

/** The errors in a text of kpack's. */
export const kpackErrors = (message: string): readonly KpackError[] => {
  const found: (KpackError & { readonly details: string[] })[] = [];
  for (const line of message.replace(/^validation failed: /, '').split('\n')) {
    const error = errorIn(line);
    if (error !== undefined) found.push({ ...error, details: [] });
    else found.at(-1)?.details.push(line.trim());
  }
  return found;
};

/** ClusterBuilders have paths without `spec.`, and what is wrong with an image is said at the place of the image. */
const fullPath = (path: string): string => {
  const plain = path.replace(/(?: \+ kind| reference currently not supported)$/, '');
  return /^(?:spec|metadata)\b/.test(plain) ? plain : `spec.${plain}`;
};

const isAt = (path: string, { field = '' }: Cause): boolean => {
  const whole = fullPath(path).replace(/^spec\.spec$/, 'spec');
  return (
    whole === field || whole.startsWith(`${field}.`) || whole.startsWith(`${field}[`) || field.startsWith(`${whole}.`)
  );
};

const textOf = (text: string): string =>
  wording.find(({ kpack }) => kpack.test(text))?.ours ?? text.replaceAll(/[{}]/g, '');

/** Whether the diff of a Build's fields is meant, which is left out with its line breaks. */
const isDiff = (detail: string): boolean => detail === '' || /^\{\*v1alpha2|^[-+]: /.test(detail);

const says = ({ causes, message }: Answer, { text, paths, details }: KpackError): boolean => {
  if (text === 'missing field(s)')
    return paths.every((path) => causes.some((cause) => cause.reason === 'FieldValueRequired' && isAt(path, cause)));
  const words = [textOf(text), ...details.filter((detail) => !isDiff(detail))];
  const isSaid = (said: string): boolean => words.every((word) => said.includes(word));
  if (paths.every((path) => message.includes(`${text}: ${path}`)) && isSaid(message)) return true;
  return causes.some(
    (cause) =>
      isSaid(cause.message ?? '') &&
      paths.every((path) => isAt(path, cause) || (cause.message ?? '').includes(fullPath(path))),
  );
};

/** Errors of kpack's that ours do not say. */
export const unsaid = (answer: Answer, kpackMessage: string): readonly string[] =>
  kpackErrors(kpackMessage)
    .filter((error) => !says(answer, error))
    .map(({ text, paths }) => `${text}: ${paths.join(', ')}`);
