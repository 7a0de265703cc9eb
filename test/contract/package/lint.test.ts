/** cfn-lint and checkov find nothing in the templates that was not weighed and accepted in infra/accepted-findings.yml. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { cfnLint, checkov, type Finding } from '../../support/oracle-lint.ts';
import { reportMissing } from '../../support/oracle-process.ts';
import { allSettings, leastSettings, type Packager, packager } from '../../support/packaged-template.ts';

const root = new URL('../../../', import.meta.url);
const pathOf = (file: string): string => fileURLToPath(new URL(file, root));

interface Accepted {
  readonly tool: string;
  readonly rule: string;
  readonly on: string;
  readonly reason: string;
}

let made: Packager;
let files: readonly string[] = [];
let accepted: readonly Accepted[] = [];

beforeAll(async () => {
  made = await packager('stubs');
  const ofEach: string[] = [];
  for (const [stage, settings] of [
    ['test', allSettings],
    ['prod', leastSettings],
  ] as const)
    ofEach.push((await made.template(stage, settings)).file);
  files = [...ofEach, pathOf('infra/relay-role.yml')];
  accepted = parse(await readFile(pathOf('infra/accepted-findings.yml'), 'utf8')) as readonly Accepted[];
});
afterAll(() => made.remove());

const accepts = ({ tool, rule, on }: Accepted, finding: Finding): boolean =>
  tool === finding.tool && rule === finding.rule && new RegExp(`^(?:${on})$`).test(finding.on);

describe.each([
  ['cfn-lint', cfnLint],
  ['checkov', checkov],
] as const)('%s', (tool, run) => {
  it('finds nothing but what is accepted, and all that is accepted', { timeout: 400_000 }, async ({ skip }) => {
    let found: readonly Finding[] = [];
    try {
      found = await run(files);
    } catch (error) {
      skip(reportMissing(tool, error));
    }
    const own = accepted.filter((one) => one.tool === tool);
    expect(found.filter((finding) => !own.some((one) => accepts(one, finding)))).toEqual([]);
    expect(own.filter((one) => !found.some((finding) => accepts(one, finding)))).toEqual([]);
  });
});

describe('each accepted finding', () => {
  it('has its reason', () => {
    expect(accepted.length).toBeGreaterThan(5);
    expect(accepted.filter(({ reason }) => reason.length < 30)).toEqual([]);
  });
});
