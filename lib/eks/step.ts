/** One thing that is asked of AWS to let a cluster in: as data, so that it can be printed, tested and done. */

/** Whose account: that of the installation, or that of the cluster. */
export type Side = 'installation' | 'cluster';

/** One call of an API. */
export interface AwsRequest {
  readonly service: 'ecr' | 'eks' | 'iam';
  /** As the API calls it, `CreateRole`. */
  readonly operation: string;
  /** What it is given. `{{name}}` in a text stands for what an earlier step was answered. */
  readonly input: Readonly<Record<string, unknown>>;
}

/** A step of a plan. */
export interface Step extends AwsRequest {
  readonly side: Side;
  /** For people: what it is for. */
  readonly what: string;
  /** What is asked for instead when it says that it is there already; each in turn. */
  readonly ifThere?: readonly AwsRequest[];
  /** Codes by which it says so. */
  readonly thereCodes?: readonly string[];
  /** What later steps need of the answer: a name, and where in the answer it is. */
  readonly says?: Readonly<Record<string, readonly string[]>>;
}

/** What steps were answered, by the names in `says`. */
export type Said = Readonly<Record<string, string>>;

/** `value` with every `{{name}}` replaced by what was said. */
export const filledIn = <T>(value: T, said: Said): T => {
  if (typeof value === 'string') {
    let text: string = value;
    for (const [name, word] of Object.entries(said)) text = text.replaceAll(`{{${name}}}`, word);
    return text as T;
  }
  if (Array.isArray(value)) return value.map((one: unknown) => filledIn(one, said)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, filledIn(one as unknown, said)])) as T;
};

/** What an answer has at a path, when it is a text. */
export const textAt = (answer: unknown, path: readonly string[]): string | undefined => {
  let at: unknown = answer;
  for (const name of path)
    at = typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[name] : undefined;
  return typeof at === 'string' ? at : undefined;
};

const kebab = (name: string): string =>
  name.replaceAll(/[A-Z]+(?![a-z])|[A-Z]/g, (part, at: number) => `${at === 0 ? '' : '-'}${part.toLowerCase()}`);

/** A text as one word of a shell. */
export const shellWord = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;

/** The command of the AWS command line that asks for the same. */
export const asCommand = (
  { service, operation, input }: AwsRequest,
  { region, profile }: { readonly region: string; readonly profile: string | undefined },
): string =>
  [
    'aws',
    service,
    kebab(operation),
    '--region',
    region,
    ...(profile === undefined ? [] : ['--profile', shellWord(profile)]),
    '--cli-input-json',
    shellWord(JSON.stringify(input)),
  ].join(' ');
