/** What docs/ lists is what the code has, both ways. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { settingNames } from '../../functions/settings.ts';
import { exitCodes } from '../../infra/command/exit.ts';
import { subcommandNames } from '../../infra/command/program.ts';
import { buildReasonMeanings, conditionReasons, conditionTypes, type ReasonMeaning } from '../../lib/api/reasons.ts';

const pathOf = (file: string): string => fileURLToPath(new URL(`../../${file}`, import.meta.url));
const read = (file: string): string => readFileSync(pathOf(file), 'utf8');

/** Rows of the tables below a heading of a page. */
const rowsBelow = (page: string, heading: string): readonly string[] => {
  const [, below = ''] = page.split(`\n## ${heading}\n`);
  const [section = ''] = below.split('\n## ');
  return section.split('\n').filter((line) => line.startsWith('| `'));
};

const packageJson = JSON.parse(read('package.json')) as Readonly<Record<string, Readonly<Record<string, string>>>>;
const inBackticks = (text: string): readonly string[] => [...text.matchAll(/`([^`]+)`/g)].map(([, code]) => code ?? '');

describe('docs/reasons.md', () => {
  const page = read('docs/reasons.md');

  it('lists every condition type with its meaning', () => {
    const wanted = Object.entries(conditionTypes).map(([type, meaning]) => `| \`${type}\` | ${meaning} |`);
    expect(rowsBelow(page, 'Condition types')).toEqual(wanted);
  });

  it('lists every reason of lib/api/reasons.ts with its kinds and meaning, and no other', () => {
    const reasons: Readonly<Record<string, ReasonMeaning>> = conditionReasons;
    const wanted = Object.entries(reasons).map(
      ([reason, { kinds, meaning, ours }]) =>
        `| \`${reason}\`${ours === true ? ' +' : ''} | ${kinds.join(', ')} | ${meaning} |`,
    );
    expect(rowsBelow(page, 'Reasons of conditions')).toEqual(wanted);
  });

  it('lists every reason for a Build', () => {
    const wanted = Object.entries(buildReasonMeanings).map(([reason, meaning]) => `| \`${reason}\` | ${meaning} |`);
    expect(rowsBelow(page, 'Why a Build is made')).toEqual(wanted);
  });
});

describe('docs/dependencies.md', () => {
  const page = read('docs/dependencies.md');
  const listed = (heading: string): readonly string[] =>
    rowsBelow(page, heading)
      .flatMap((row) => inBackticks(row.split('|')[1] ?? ''))
      .sort();

  it('gives a reason for every package that is installed, and lists no other', () => {
    expect(listed('At run time')).toEqual(Object.keys(packageJson['dependencies'] ?? {}).sort());
    const development = { ...packageJson['devDependencies'], ...packageJson['optionalDependencies'] };
    expect(listed('In development')).toEqual(Object.keys(development).sort());
  });

  it('needs no range: every version is exact', () => {
    const versions = ['dependencies', 'devDependencies', 'optionalDependencies'].flatMap((group) =>
      Object.values(packageJson[group] ?? {}),
    );
    expect(versions.filter((version) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });
});

describe('docs/commands.md', () => {
  const page = read('docs/commands.md');

  it('explains every npm script', () => {
    const explained = [...page.matchAll(/^\| `npm (?:run )?([a-z-]+)/gm)].map(([, name]) => name ?? '');
    expect(explained.sort()).toEqual(Object.keys(packageJson['scripts'] ?? {}).sort());
  });

  it('explains every setting', () => {
    const explained = rowsBelow(page, 'Settings of the functions').flatMap((row) =>
      inBackticks(row.split('|')[1] ?? ''),
    );
    expect(explained.sort()).toEqual([...settingNames].sort());
  });
});

describe('kpackless in docs/commands.md', () => {
  const page = read('docs/commands.md');

  it('has every subcommand, and no other', () => {
    const explained = rowsBelow(page, 'kpackless').map((row) => inBackticks(row.split('|')[1] ?? '')[0]);
    const streams = { out: () => undefined, err: () => undefined, isTerminal: false };
    // Nothing of the outside world is asked for its names.
    const names = subcommandNames({ streams } as unknown as Parameters<typeof subcommandNames>[0]);
    expect(new Set(explained)).toEqual(new Set(names));
  });

  it('has every exit code', () => {
    const [, below = ''] = page.split('| exit code | meaning |');
    const explained = below.split('\n').flatMap((line) => /^\| (?<code>\d) \|/.exec(line)?.groups?.['code'] ?? []);
    expect(explained.map(Number)).toEqual(Object.values(exitCodes));
  });
});

describe('docs/operating.md', () => {
  const alarms = [...read('infra/alarms.yml').matchAll(/^ {2}(\w+):\n {4}Type: AWS::CloudWatch::Alarm$/gm)].map(
    ([, name]) => name ?? '',
  );
  const rows = rowsBelow(read('docs/operating.md'), 'Alarms').map((row) => row.split(' | '));
  /** Rows that are about an alarm; `*` stands for a queue, and a row with the alarm's own name comes before it. */
  const rowOf = (alarm: string): string | undefined => {
    const named = rows.map(([name = '']) => inBackticks(name)[0] ?? '');
    return (
      named.find((name) => name === alarm) ??
      named.find((name) => name.startsWith('*') && alarm.endsWith(name.slice(1)))
    );
  };

  it('says of every alarm what to do', () => {
    expect(alarms.length).toBeGreaterThan(15);
    expect(alarms.filter((alarm) => rowOf(alarm) === undefined)).toEqual([]);
    expect(rows.filter(([, means = '', act = '']) => means.length < 20 || act.length < 20)).toEqual([]);
  });

  it('has no alarm that is not there', () => {
    const used = new Set(alarms.map(rowOf));
    expect(rows.map(([name = '']) => inBackticks(name)[0]).filter((name) => !used.has(name))).toEqual([]);
  });

  it('is named where an alarm is read: on the dashboard', () => {
    expect(read('infra/dashboard.yml')).toContain('docs/operating.md');
  });
});

describe('docs/security.md', () => {
  const page = read('docs/security.md');
  const pathsOf = (pattern: RegExp): readonly string[] => inBackticks(page).filter((code) => pattern.test(code));

  it('names tests that are there', () => {
    const named = pathsOf(/^(?:attack|contract|e2e|unit)\/[\w./-]+\.ts$/);
    expect(named.length).toBeGreaterThan(30);
    expect(named.filter((path) => !existsSync(pathOf(`test/${path}`)))).toEqual([]);
  });

  it('names every attack that is tried', () => {
    const tried = readdirSync(pathOf('test/attack')).filter((name) => name.endsWith('.test.ts'));
    expect(tried.filter((name) => !page.includes(`\`attack/${name}\``))).toEqual([]);
  });
});
