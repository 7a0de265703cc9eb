/** What stands in infra/settings/STAGE.yml: all mistakes at once, and what serverless.yml is given of it. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse, parseDocument } from 'yaml';
import { settingNames } from '../../../functions/settings.ts';
import { parametersOf } from '../../../infra/settings/parameters.ts';
import { readStage, settingsFolder, stageSettingsIn } from '../../../infra/settings/read.ts';
import { functionSettingNames, stageSettingNames } from '../../../infra/settings/schema.ts';

const digest = `@sha256:${'0'.repeat(64)}`;
const least = `region: eu-west-1\nstepImage: registry.invalid/steps${digest}\n`;
const example = readFileSync(`${settingsFolder}/example.yml`, 'utf8');

const refusalOf = (text: string): readonly string[] => {
  try {
    stageSettingsIn(text, 'prod.yml');
  } catch (error) {
    return (error as Error).message.split('\n').map((line) => line.trim());
  }
  return [];
};

describe('a file of settings', () => {
  it('needs a region and the image of the steps, and has the rest from the example', () => {
    expect(stageSettingsIn(example, 'example.yml')).toEqual({
      ...stageSettingsIn(least, 'least.yml'),
      ...(parse(example) as object),
    });
  });

  it('may say everything that the example shows, once the comment signs are gone', () => {
    const all = example.replaceAll(
      /^# ?(?=(?:vpc|permissionsBoundary|kmsKey|tags|readRepositories|writeRepositories|gitPollSeconds|egressAllow|buildSteps|maxBuilds|hooksReservedConcurrency|  subnets|  securityGroups):)/gm,
      '',
    );
    const settings = stageSettingsIn(all.replace('hooks: false', 'hooks: true'), 'all.yml');
    expect(parametersOf(settings)).toMatchObject({
      hooks: 'on',
      hooksReservedConcurrency: 10,
      inVpc: 'yes',
      vpc: {
        subnetIds: ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'],
        securityGroupIds: ['sg-0123456789abcdef0'],
      },
      tags: { team: 'platform', 'cost-center': '1234' },
      gitPollSeconds: '300',
      maxBuilds: '100',
      readRepositories: 'arn:aws:ecr:eu-west-1:123456789012:repository/platform/shared/*',
    });
    const shown = (parseDocument(all).toJS() as object | null) ?? {};
    const others = stageSettingNames.filter((name) => !(name in shown) && !functionSettingNames.includes(name));
    expect(others).toEqual([]);
  });

  it('is told of all mistakes together: the name, what was found, what is allowed', () => {
    const wrong = [
      'regon: eu-west-1',
      'stepImage: registry.invalid/steps:latest',
      'accountConcurrency: many',
      'tableProtection: no way',
      'vpc: { subnets: [subnet-1] }',
      'logLevel: debug',
      'gitPollSeconds: -1',
      'egressAllow: 10.0.0.0/99',
      'logRetentionDays: 8',
      'colour: green',
      'hooksReservedConcurrency: 5',
    ].join('\n');
    expect(refusalOf(wrong)).toEqual([
      'prod.yml is wrong:',
      'regon is no setting: did you mean region?',
      'colour is no setting: infra/settings/example.yml has them',
      'logLevel is "debug": must be info, warn or error',
      'gitPollSeconds is -1: must be a number of seconds',
      'egressAllow is "10.0.0.0/99": "10.0.0.0/99" has a prefix longer than 32 bits',
      'region is missing: it must be given',
      'stepImage is "registry.invalid/steps:latest": must be an image by digest, as npm run images prints it: …/steps@sha256:…',
      'accountConcurrency is "many": must be a whole number from 10 to 999999',
      'tableProtection is "no way": must be true or false',
      expect.stringContaining('logRetentionDays is 8: must be one of 1, 3, 5'),
      'vpc is {"subnets":["subnet-1"]}: must be ids of subnets',
      'vpc is {"subnets":["subnet-1"]}: must have subnets and securityGroups, and nothing else',
      'hooksReservedConcurrency is 5: goes with hooks: true',
    ]);
  });

  it.each([
    ['', 'says nothing'],
    ['- a', 'says nothing'],
    ['a: [', 'is no YAML'],
    [`${least}hooksReservedConcurrency: 5`, 'hooksReservedConcurrency is 5: goes with hooks: true'],
    [`${least}hooks: true\naccountConcurrency: 50\nhooksReservedConcurrency: 5`, 'leaves less than 100'],
    [`${least}prefix: Acme`, 'prefix is "Acme": must be at most 16 small letters'],
    [`${least}tags: { 'aws:x': y }`, 'that do not begin with aws:'],
  ])('refuses %j', (text, why) => {
    expect(refusalOf(text).join('\n')).toContain(why);
  });

  it('is one of a stage whose name fits into names of AWS', () => {
    expect(() => readStage('Production')).toThrow('is no name of a stage');
    expect(() => readStage('../prod')).toThrow('is no name of a stage');
    expect(() => readStage('nowhere')).toThrow('copy infra/settings/example.yml (there are ');
    expect(() => readStage('exampel')).toThrow('did you mean example?');
  });

  it('can say every setting of the functions that is not the template’s own affair', () => {
    expect(settingNames.length - functionSettingNames.length).toBe(7);
  });
});

describe('parameters', () => {
  it('leave out what is not set, so that serverless.yml says what holds', () => {
    expect(parametersOf(stageSettingsIn(least, 'least.yml'))).toEqual({
      ...Object.fromEntries(['image', 'build'].map((name) => [`${name}Concurrency`, 50])),
      ...Object.fromEntries(
        ['sourceResolver', 'builder', 'clusterBuilder', 'gitPoll'].map((name) => [`${name}Concurrency`, 20]),
      ),
      ...Object.fromEntries(
        ['buildpack', 'clusterBuildpack', 'clusterStore', 'clusterStack', 'clusterLifecycle', 'dependents'].map(
          (name) => [`${name}Concurrency`, 10],
        ),
      ),
      bulkConcurrency: 40,
      maxReceiveCount: 5,
      stepImage: `registry.invalid/steps${digest}`,
      accountConcurrency: 1000,
      hooks: 'off',
      table: 'new',
      tableProtection: true,
      logRetentionDays: 14,
    });
  });

  it('are all asked for somewhere in serverless.yml or what it includes', () => {
    const all = [
      'serverless',
      ...['queues', 'table', 'roles', 'alarms', 'hooks', 'outputs', 'dashboard'].map((name) => `infra/${name}`),
    ]
      .map((name) => readFileSync(`${settingsFolder}/../../${name}.yml`, 'utf8'))
      .join('\n');
    const text = `${least}vpc: { subnets: [subnet-00000000], securityGroups: [sg-00000000] }\nhooks: true\nhooksReservedConcurrency: 5
permissionsBoundary: 'arn:aws:iam::123456789012:policy/b'\nkmsKey: 'arn:aws:kms:eu-west-1:123456789012:key/k'\ntags: { a: b }
readRepositories: ['arn:aws:ecr:eu-west-1:123456789012:repository/a']\nwriteRepositories: ['arn:aws:ecr:eu-west-1:123456789012:repository/a']`;
    const given = [...Object.keys(parametersOf(stageSettingsIn(text, 'all.yml'))), ...functionSettingNames];
    expect(given.filter((name) => !all.includes(`\${param:${name},`) && !all.includes(`\${param:${name}}`))).toEqual(
      [],
    );
    const asked = [...all.matchAll(/\$\{param:(\w+)/g)].map(([, name]) => name ?? '');
    expect(asked.filter((name) => !given.includes(name))).toEqual([]);
  });
});
