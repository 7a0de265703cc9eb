/** What may stand in `infra/settings/STAGE.yml`. */
import * as v from 'valibot';
import { settingsSchema } from '../../functions/settings.ts';

/** Settings that the template gives itself, or that have a name of their own in the file. */
const given: ReadonlySet<string> = new Set([
  'KPACKLESS_TABLE',
  'KPACKLESS_QUEUE_URL_PREFIX',
  'KPACKLESS_SENDERS',
  'KPACKLESS_LOG_FILE',
  'KPACKLESS_ACCOUNT_CONCURRENCY',
  'KPACKLESS_METRICS_NAMESPACE',
]);

/** `KPACKLESS_GIT_POLL_SECONDS` as it stands in the file: `gitPollSeconds`. */
export const nameInFile = (variable: string): string =>
  variable
    .replace('KPACKLESS_', '')
    .toLowerCase()
    .replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** A setting of the functions: written as a text, a number or true and false, and judged as the functions will. */
const asText = (schema: v.GenericSchema) =>
  v.optional(
    v.pipe(
      v.union([v.string(), v.number(), v.boolean()], 'must be one text, number, true or false'),
      v.transform(String),
      v.rawCheck(({ dataset, addIssue }) => {
        if (!dataset.typed) return;
        const parsed = v.safeParse(schema, dataset.value);
        if (!parsed.success) addIssue({ message: parsed.issues[0].message });
      }),
    ),
  );

const ofFunctions: Readonly<Record<string, ReturnType<typeof asText>>> = Object.fromEntries(
  Object.entries(settingsSchema.entries)
    .filter(([variable]) => !given.has(variable) && variable !== 'KPACKLESS_STEP_IMAGE')
    .map(([variable, schema]) => [nameInFile(variable), asText(schema as v.GenericSchema)]),
);

const matching = (pattern: RegExp, what: string) => v.pipe(v.string(what), v.regex(pattern, what));
const flag = (otherwise: boolean) => v.optional(v.boolean('must be true or false'), otherwise);
const whole = (least: number, most: number) => {
  const what = `must be a whole number from ${least} to ${most}`;
  return v.pipe(v.number(what), v.integer(what), v.minValue(least, what), v.maxValue(most, what));
};
const arnOf = (service: string, rest: string) =>
  matching(new RegExp(`^arn:aws[a-z-]{0,10}:${service}:\\S{1,300}$`), `must be the ARN of ${rest}`);
const listOf = <S extends v.GenericSchema>(item: S, what: string, most: number) =>
  v.pipe(v.array(item, what), v.minLength(1, what), v.maxLength(most, what));

/** Days that CloudWatch Logs knows (PutRetentionPolicy). */
const retentions = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
] as const;

const digest = 'must be an image by digest, as npm run images prints it: …/steps@sha256:…';
const repositories = v.optional(listOf(arnOf('ecr', 'repositories'), 'must be a list of ARNs of repositories', 50));

/** Fewest executions of which some may be reserved: 100 must stay for all functions together (PutFunctionConcurrency). */
const leastForReserving = 110;

/** The file. Names of AWS are bounded as AWS bounds them: a queue's name has 80 characters, an IAM role's 64. */
export const stageSettings = v.pipe(
  v.strictObject({
    ...ofFunctions,
    region: matching(/^[a-z]{2}(?:-[a-z]{2,12}){1,3}-\d$/, 'must be a region such as eu-west-1'),
    stepImage: matching(/^\S{1,400}@sha256:[0-9a-f]{64}$/, digest),
    prefix: v.optional(
      matching(/^[a-z](?:[a-z0-9]|-(?=[a-z0-9])){0,15}$/, 'must be at most 16 small letters, digits and dashes'),
      'kpackless',
    ),
    accountConcurrency: v.optional(whole(10, 999_999), 1000),
    hooks: flag(false),
    hooksReservedConcurrency: v.optional(whole(1, 1000)),
    table: v.optional(v.picklist(['new', 'existing'], 'must be new or existing'), 'new'),
    tableProtection: flag(true),
    logRetentionDays: v.optional(v.picklist(retentions, `must be one of ${retentions.join(', ')}`), 14),
    vpc: v.optional(
      v.strictObject(
        {
          subnets: listOf(matching(/^subnet-[0-9a-f]{8,17}$/, 'must be ids of subnets'), 'must be ids of subnets', 16),
          securityGroups: listOf(
            matching(/^sg-[0-9a-f]{8,17}$/, 'must be ids of security groups'),
            'must be ids of one to five security groups',
            5,
          ),
        },
        'must have subnets and securityGroups, and nothing else',
      ),
    ),
    permissionsBoundary: v.optional(arnOf('iam', 'a policy')),
    kmsKey: v.optional(arnOf('kms', 'a key')),
    tags: v.optional(
      v.pipe(
        v.record(
          v.string(),
          v.pipe(v.string('must be texts, in quotes where they look like numbers'), v.maxLength(256)),
        ),
        v.check((tags) => Object.keys(tags).length <= 45, 'must be 45 tags at most'),
        v.check(
          (tags) => Object.keys(tags).every((key) => key.length <= 128 && !key.toLowerCase().startsWith('aws:')),
          'must have keys of at most 128 characters that do not begin with aws:',
        ),
      ),
    ),
    readRepositories: repositories,
    writeRepositories: repositories,
  }),
  v.forward(
    v.partialCheck(
      [['hooks'], ['hooksReservedConcurrency']],
      ({ hooks, hooksReservedConcurrency: reserved }) => hooks || reserved === undefined,
      'goes with hooks: true',
    ),
    ['hooksReservedConcurrency'],
  ),
  v.forward(
    v.partialCheck(
      [['accountConcurrency'], ['hooksReservedConcurrency']],
      ({ accountConcurrency, hooksReservedConcurrency: reserved }) =>
        reserved === undefined || accountConcurrency - reserved >= leastForReserving - 10,
      'leaves less than 100 of accountConcurrency to all others, which AWS refuses: leave it out',
    ),
    ['hooksReservedConcurrency'],
  ),
);

/** The file, read. */
export type StageSettings = v.InferOutput<typeof stageSettings>;

/** Names that the file may have. */
export const stageSettingNames: readonly string[] = Object.keys(stageSettings.entries);
/** Those that are settings of the functions. */
export const functionSettingNames: readonly string[] = Object.keys(ofFunctions);
