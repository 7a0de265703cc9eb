/** Linters of CloudFormation in Python, each in an environment of its own: they want different versions of the same packages. */
import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { pythonWith } from './oracle-install.ts';

/** What a linter says about a resource or a condition. */
export interface Finding {
  readonly tool: 'cfn-lint' | 'checkov';
  readonly rule: string;
  readonly on: string;
  readonly says: string;
}

const deadlineMs = 120_000;

/** Its standard output; that it found something is no failure of the program. @throws Error when it could not be run or said nothing */
const said = async (program: string, ...args: readonly string[]): Promise<string> => {
  const run = promisify(execFile)(program, [...args], { timeout: deadlineMs, maxBuffer: 64 * 1024 * 1024 });
  const { stdout } = await run.catch((error: unknown) => {
    const { stdout = '' } = error as { readonly stdout?: string };
    if (stdout === '') throw error;
    return { stdout };
  });
  return stdout;
};

/** Errors and warnings of AWS's own linter. */
export const cfnLint = async (files: readonly string[]): Promise<readonly Finding[]> => {
  const python = await pythonWith('oracle-cfn-lint.requirements.txt');
  interface Found {
    readonly Rule: { readonly Id: string };
    readonly Message: string;
    readonly Location: { readonly Path: readonly string[] };
  }
  const text = await said(join(dirname(python), 'cfn-lint'), '--format', 'json', '--', ...files);
  return (JSON.parse(text) as readonly Found[]).map(({ Rule, Message, Location }) => ({
    tool: 'cfn-lint',
    rule: Rule.Id,
    on: Location.Path[1] ?? '',
    says: Message,
  }));
};

/** What checkov's policies for CloudFormation miss. It asks nobody for more of them. */
export const checkov = async (files: readonly string[]): Promise<readonly Finding[]> => {
  const python = await pythonWith('oracle-checkov.requirements.txt');
  interface Report {
    readonly results: {
      readonly failed_checks: readonly {
        readonly check_id: string;
        readonly check_name: string;
        readonly resource: string;
      }[];
      readonly passed_checks?: readonly unknown[];
    };
  }
  const given = files.flatMap((file) => ['-f', file]);
  const options = ['--quiet', '--compact', '--skip-download', '-o', 'json', '--framework', 'cloudformation'];
  const text = await said(join(dirname(python), 'checkov'), ...options, ...given);
  return [JSON.parse(text) as Report | readonly Report[]].flat().flatMap(({ results }) =>
    results.failed_checks.map(({ check_id: rule, check_name: says, resource }) => ({
      tool: 'checkov' as const,
      rule,
      on: resource.split('.').at(-1) ?? '',
      says,
    })),
  );
};
