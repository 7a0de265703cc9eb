import { describe, expect, it } from 'vitest';
import { bindingsFrom } from '../../../../lib/builds/inputs/bindings.ts';
import { builderImageFrom } from '../../../../lib/builds/inputs/builder-image.ts';
import { guessedPlural } from '../../../../lib/builds/inputs/provisioned-service.ts';
import {
  buildSecretOf,
  forbiddenSecrets,
  pullSecretNames,
  secretNames,
} from '../../../../lib/builds/inputs/service-account.ts';
import { buildB } from '../base-build.ts';
import { builderFacts } from '../build-world.ts';

const names = (...all: string[]) => all.map((name) => ({ name }));

describe('a ServiceAccount', () => {
  it('03#88 03#89 gives each Secret once, and a pull secret only if it is no Secret of the account', () => {
    const account = { secrets: names('b', 'a', 'b'), imagePullSecrets: names('p', 'a', 'p', 'q') };
    expect(secretNames(account)).toEqual(['b', 'a']);
    expect(pullSecretNames(account)).toEqual(['p', 'q']);
  });

  it('03#90 03#91 with an entry without a name is refused', () => {
    expect(() => secretNames({ secrets: [{}] })).toThrow('ServiceAccount has invalid Secret reference');
    expect(() => pullSecretNames({ imagePullSecrets: names('') })).toThrow(
      'ServiceAccount has invalid ImagePullSecret reference',
    );
  });

  it('hands on nothing of a Secret’s data but whether it signs', () => {
    const secret = { metadata: { name: 's' }, data: { 'cosign.key': 'S0VZ', other: 'c2VjcmV0' } };
    expect(buildSecretOf(secret)).toEqual({ name: 's', type: 'Opaque', annotations: {}, signsImages: true });
    expect(JSON.stringify(buildSecretOf(secret))).not.toContain('S0VZ');
  });

  it('03#67 03#175 signs with a key alone, not with a password or an empty key', () => {
    const signs = (data: Record<string, string>) => buildSecretOf({ metadata: { name: 's' }, data }).signsImages;
    expect([{ 'cosign.password': 'x' }, { 'cosign.key': '' }, { 'cosign.key': 'x' }].map(signs)).toEqual([
      false,
      false,
      true,
    ]);
  });
});

describe('bindings', () => {
  const cnbBindings = [{ name: 'naughty', metadataRef: { name: 'm' }, secretRef: { name: 'docker-secret-1' } }];
  const forbidden = forbiddenSecrets([{ secrets: names('docker-secret-1') }, {}]);

  it('03#92 keep the service’s name and take the Secret it offers', () => {
    const services = [
      { name: 'secret', secret: 'secret' },
      { name: 'redis', secret: 'X' },
      { name: 'later', secret: undefined },
    ];
    expect(bindingsFrom(buildB(), services, forbidden)).toEqual(
      services.map((service) => ({ kind: 'service', ...service })),
    );
  });

  it('03#93 of the older form pass through, with or without a Secret', () => {
    const build = buildB({ cnbBindings: [{ name: 'a', metadataRef: { name: 'm' } }] });
    expect(bindingsFrom(build, [], forbidden)).toEqual([{ kind: 'cnb', name: 'a', metadata: 'm', secret: undefined }]);
  });

  it('03#94 of the older form are ignored beside services', () => {
    const services = [{ name: 's', secret: 's' }];
    expect(bindingsFrom(buildB({ cnbBindings }), services, forbidden)).toHaveLength(1);
  });

  it('03#95 03#96 may not use a Secret that any account lists', () => {
    expect(() => bindingsFrom(buildB({ cnbBindings }), [], forbidden)).toThrow(
      'build rejected: binding "naughty" uses forbidden secret "docker-secret-1"',
    );
    const services = [{ name: 'docker-secret-1', secret: 'docker-secret-1' }];
    expect(() => bindingsFrom(buildB(), services, forbidden)).toThrow(
      'build rejected: service "docker-secret-1" uses forbidden secret "docker-secret-1"',
    );
  });

  it.each([
    ['ProvisionedService', 'provisionedservices'],
    ['Redis', 'redises'],
    ['Policy', 'policies'],
    ['MyEndpoints', 'myendpoints'],
  ])('looks for a %s among %s', (kind, plural) => {
    expect(guessedPlural(kind)).toBe(plural);
  });
});

describe('the user of a builder image', () => {
  const withIds = (user: string, group: string) => () =>
    builderImageFrom('builder.example/b', { ...builderFacts, env: [`CNB_USER_ID=${user}`, `CNB_GROUP_ID=${group}`] });

  it('may not be root, and the message names the image: its pod would wait for ever', () => {
    expect(withIds('0', '0')).toThrow(
      'CNB_USER_ID is 0: no build runs as root; use a builder whose stack has another user (builder image builder.example/b)',
    );
  });

  it.each([
    ['-1', '1000'],
    ['1000', '-1'],
    ['2147483648', '1000'],
  ])('must be one that a process can have: %s:%s', (user, group) => {
    expect(withIds(user, group)).toThrow('is no id that a process can have');
  });

  it('may have the group of root', () => {
    expect(withIds('1001', '0')()).toMatchObject({ uid: 1001, gid: 0 });
  });
});

describe('a builder image', () => {
  const label = 'io.buildpacks.builder.metadata';

  it('03#84 says stack, run image, user and the Platform APIs, deprecated ones first', () => {
    const metadata = {
      stack: { runImage: { image: 'R1' } },
      lifecycle: { apis: { platform: { deprecated: ['0.3'], supported: ['0.9'] } } },
    };
    const labels = { ...builderFacts.labels, [label]: JSON.stringify(metadata) };
    expect(builderImageFrom('BI', { ...builderFacts, labels })).toEqual({
      image: 'BI',
      stackId: 'S',
      runImage: 'R1',
      platformApis: ['0.3', '0.9'],
      uid: 2000,
      gid: 3000,
    });
  });

  const { [label]: _, ...withoutMetadata } = builderFacts.labels;
  it.each([
    [
      'no stack',
      { labels: {} },
      'builder image stack ID label not present: could not find label io.buildpacks.stack.id',
    ],
    ['no metadata', { labels: withoutMetadata }, `unable to get builder metadata: could not find label ${label}`],
    ['unreadable metadata', { labels: { ...withoutMetadata, [label]: '{' } }, 'unable to get builder metadata: '],
    [
      'metadata of another shape',
      { labels: { ...withoutMetadata, [label]: '[]' } },
      'unable to get builder metadata: ',
    ],
    ['no user', { env: ['CNB_GROUP_ID=1'] }, 'ENV CNB_USER_ID not found'],
    ['no group', { env: ['CNB_USER_ID=1'] }, 'ENV CNB_GROUP_ID not found'],
    ['a user that is no number', { env: ['CNB_USER_ID=cnb'] }, 'strconv.ParseInt: parsing "cnb": invalid syntax'],
    ['03#98 Windows', { os: 'windows' }, 'windows builds are not supported'],
  ])('with %s is refused', (_, facts, message) => {
    expect(() => builderImageFrom('BI', { ...builderFacts, ...facts })).toThrow(message);
  });
});
