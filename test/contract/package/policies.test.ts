/** No `*` in an action or a resource of a policy without its reason in infra/wildcards.yml. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { leastSettings, type Packager, packager, type Template } from '../../support/packaged-template.ts';
import { type PolicyStatement, policyStatements } from '../../support/policy-statements.ts';

const read = (file: string): string =>
  readFileSync(fileURLToPath(new URL(`../../../${file}`, import.meta.url)), 'utf8');

interface Reasoned {
  readonly in: string;
  readonly effect?: string;
  readonly resource: string;
  readonly actions?: readonly string[];
  readonly reason: string;
}

const reasoned = parse(read('infra/wildcards.yml')) as readonly Reasoned[];
/** Osls's own bucket policy: it denies whatever does not come by TLS. */
const ofOsls = 'ServerlessDeploymentBucketPolicy';

let made: Packager;
let template: Template;
let statements: readonly PolicyStatement[] = [];

beforeAll(async () => {
  made = await packager('stubs');
  const settings = `${leastSettings}
vpc: { subnets: [subnet-0123456789abcdef0], securityGroups: [sg-0123456789abcdef0] }
buildLogArchive: my-bucket/builds
eventBus: 'arn:aws:events:eu-west-1:123456789012:event-bus/builds'
readRepositories: ['arn:aws:ecr:eu-west-1:123456789012:repository/platform']
writeRepositories: ['arn:aws:ecr:eu-west-1:123456789012:repository/platform']
hooks: true
`;
  ({ template } = await made.template('prod', settings));
  statements = policyStatements(template);
});
afterAll(() => made.remove());

/** Wildcards of a statement: each resource that has one, and each action. */
const wildcards = (from: readonly PolicyStatement[]) =>
  from
    .filter((statement) => statement.in !== ofOsls)
    .flatMap(({ resources, ...rest }) => resources.map((resource) => ({ ...rest, resource })))
    .filter(({ resource, actions }) => resource.includes('*') || actions.some((action) => action.includes('*')));

const covers = (reason: Reasoned, found: ReturnType<typeof wildcards>[number]): boolean =>
  reason.in === found.in &&
  (reason.effect ?? 'Allow') === found.effect &&
  (reason.resource === '*' ? found.resource === '*' : found.resource.endsWith(reason.resource)) &&
  // An action that has a wildcard is named; so is all that may be done with whatever there is.
  (reason.actions === undefined
    ? found.resource !== '*' && found.actions.every((action) => !action.includes('*'))
    : found.actions.every((action) => reason.actions?.includes(action)));

describe('the policies of the template', () => {
  it('are all looked at', () => {
    expect(statements.length).toBeGreaterThan(60);
    const inlineOrManaged = Object.values(template.Resources).filter(({ Type }) =>
      Type.startsWith('AWS::IAM::'),
    ).length;
    expect(new Set(statements.map((statement) => statement.in)).size).toBeGreaterThanOrEqual(inlineOrManaged);
  });

  it('have no wildcard without a reason', () => {
    expect(wildcards(statements).filter((found) => !reasoned.some((reason) => covers(reason, found)))).toEqual([]);
  });

  it('need every reason that is written', () => {
    expect(reasoned.filter((reason) => !wildcards(statements).some((found) => covers(reason, found)))).toEqual([]);
    expect(reasoned.filter(({ reason }) => reason.length < 10)).toEqual([]);
  });
});

describe('the policy of a relay', () => {
  it('has no wildcard at all', () => {
    const tags = ['!Sub', '!Ref', '!GetAtt'].map((tag) => ({ tag, resolve: (text: string) => text }));
    const lists = ['!If', '!Not', '!Equals'].map((tag) => ({ tag, collection: 'seq' as const }));
    const { Resources } = parse(read('infra/relay-role.yml'), { customTags: [...tags, ...lists] }) as Template;
    const found = policyStatements({ Resources });
    expect(found.length).toBeGreaterThan(2);
    expect(wildcards(found)).toEqual([]);
  });
});
