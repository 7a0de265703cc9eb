/** Whoever mistypes an option, or forgets the two dashes, is told the right spelling, and nothing is done. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { nearestTo } from '../../../infra/command-line/nearest.ts';
import { readCommandLine } from '../../../infra/command-line/read.ts';
import { swallowedOptions } from '../../../infra/command-line/swallowed.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const scripts = (
  JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { readonly scripts: Readonly<Record<string, string>> }
).scripts;

const options = { stage: { type: 'string' }, help: { type: 'boolean' } } as const;
const read = (args: readonly string[], environment: Readonly<Record<string, string>> = {}) =>
  readCommandLine({ name: 'npm run deploy', options }, { args, environment });

describe('a command', () => {
  it('takes the options that it knows', () => {
    expect(read(['--stage', 'prod', '--help']).values).toMatchObject({ stage: 'prod', help: true });
  });

  it.each([
    [['--stag', 'prod'], 'there is no option --stag: did you mean --stage?'],
    [['--Stage=prod'], 'there is no option --Stage: did you mean --stage?'],
    [['--param=commit=1'], 'there is no option --param: it knows --stage, --help'],
    [
      ['--stag=a', '--hlep'],
      'there is no option --stag: did you mean --stage?; there is no option --hlep: did you mean',
    ],
    [['prod'], 'prod is one word too many'],
    [['--stage'], "Option '--stage <value>' argument missing"],
    [['-x'], 'there is no option -x'],
  ])('refuses %j and says what was meant', (args, why) => {
    expect(() => read(args)).toThrow(why);
  });

  it('says that npm kept an option for itself, whose value it was handed as a word', () => {
    expect(() => read(['prod'], { npm_config_stage: 'true' })).toThrow(
      'npm kept --stage for itself: put two dashes before options, npm run deploy -- --stage …',
    );
    expect(() => read([], { npm_config_stag: 'prod' })).toThrow('npm kept --stag for itself');
  });

  it('takes nothing for swallowed that npm sets for itself, or that was set for npm', () => {
    const ofNpm = {
      npm_config_user_agent: 'npm/11',
      npm_config_registry: 'https://registry.invalid/',
      npm_config_nodedir: '/usr',
      npm_config_cache: '/root/.npm',
      npm_config_yes: '',
      npm_config_global_prefix: '/usr',
      PATH: '/bin',
    };
    const ours = ['stage', 'help', 'registry', 'reset', 'day', 'only', 'images', 'rounds', 'region', 'watched', 'many'];
    expect(swallowedOptions(ours, ofNpm)).toEqual([]);
  });
});

describe('the nearest name', () => {
  it.each([
    ['exit_when_ready', 'exit-when-ready'],
    ['exitWhenReady', 'exit-when-ready'],
    ['seeds', 'seeds'],
    ['sede', 'seed'],
    ['colour', undefined],
    ['x'.repeat(10_000), undefined],
  ])('of %s is %s', (given, meant) => {
    expect(nearestTo(given.slice(0, 10_000), ['seed', 'seeds', 'exit-when-ready'])).toBe(meant);
  });
});

describe('npm run', () => {
  const ours = ['start', 'bundle', 'package', 'deploy', 'remove', 'images', 'crds', 'chart', 'bench', 'chaos'];

  it.each(ours)('%s refuses an option that it does not know before it does anything', async (name) => {
    const [program = '', ...args] = (scripts[name] ?? '').split(' ');
    expect(program).toBe('node');
    const run = promisify(execFile)(process.execPath, [...args, '--nonsense'], { cwd: root, timeout: 15_000, env: {} });
    await expect(run).rejects.toMatchObject({
      // 2 where 1 says that what was run did not hold.
      code: name === 'chaos' ? 2 : 1,
      stderr: expect.stringContaining('there is no option --nonsense') as string,
    });
  });
});
