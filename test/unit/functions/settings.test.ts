/** Whoever sets something wrong is told all of it at once, when the process starts: the name, what was found, what is allowed. */
import { describe, expect, it } from 'vitest';
import { relaySettingsFrom } from '../../../functions/relay/settings.ts';
import { settingsFrom } from '../../../functions/settings.ts';

const refusal = (read: () => unknown): readonly string[] => {
  try {
    read();
  } catch (error) {
    return (error as Error).message.split('\n');
  }
  return [];
};

const right = {
  KPACKLESS_TABLE: 'kpackless-prod',
  KPACKLESS_QUEUE_URL_PREFIX: 'https://sqs.eu-west-1.amazonaws.com/1/kpackless-prod-',
  KPACKLESS_SENDERS: 'AROA0123456789ABCDEF',
  KPACKLESS_STEP_IMAGE: 'registry.invalid/steps@sha256:1',
};

describe('a function', () => {
  it('names everything that is missing', () => {
    expect(refusal(() => settingsFrom({}))).toEqual([
      'the settings are wrong:',
      'KPACKLESS_TABLE is missing: it must be given',
      'KPACKLESS_QUEUE_URL_PREFIX is missing: it must be given',
      'KPACKLESS_SENDERS is missing: it must be given',
      'KPACKLESS_STEP_IMAGE is missing: it must be given',
    ]);
  });

  it('says of everything that is wrong what was found and what is allowed', () => {
    const wrong = {
      ...right,
      KPACKLESS_TABLE: '',
      KPACKLESS_SENDERS: 'kpackless-role',
      KPACKLESS_ACCOUNT_CONCURRENCY: '5',
      KPACKLESS_LOG_LEVEL: 'debug',
      KPACKLESS_METRICS_NAMESPACE: 'a b',
      KPACKLESS_MAXIMUM_PLATFORM_API: 'v0.12',
      KPACKLESS_BUILD_STEPS: 'paralel',
      KPACKLESS_PRIORITY_CLASSES: 'yes',
      KPACKLESS_GIT_POLL_SECONDS: '0',
      KPACKLESS_MAX_BUILDS: '1000',
      KPACKLESS_BUILD_LOG_ARCHIVE: 's3://bucket',
      KPACKLESS_COMMIT: 'x'.repeat(1000),
    };
    expect(refusal(() => settingsFrom(wrong))).toEqual([
      'the settings are wrong:',
      'KPACKLESS_TABLE is "": must not be empty',
      'KPACKLESS_SENDERS is "kpackless-role": must be the unique ids (AROA…) of the roles that may wake objects of any cluster, comma-separated, or any',
      'KPACKLESS_ACCOUNT_CONCURRENCY is "5": must be a number from 10 to 999999',
      'KPACKLESS_LOG_LEVEL is "debug": must be info, warn or error',
      'KPACKLESS_METRICS_NAMESPACE is "a b": must be a namespace of CloudWatch',
      'KPACKLESS_MAXIMUM_PLATFORM_API is "v0.12": must be a version such as 0.12, or empty',
      'KPACKLESS_BUILD_STEPS is "paralel": must be sequential or parallel',
      'KPACKLESS_PRIORITY_CLASSES is "yes": must be true or false',
      'KPACKLESS_GIT_POLL_SECONDS is "0": must be a number of seconds',
      expect.stringMatching(/^KPACKLESS_COMMIT is "x{59}…: must be a commit id/),
      'KPACKLESS_MAX_BUILDS is "1000": must be a number from 1 to 800',
      expect.stringMatching(/^KPACKLESS_BUILD_LOG_ARCHIVE is "s3:\/\/bucket": /),
    ]);
  });

  it('starts with what is right', () => {
    expect(settingsFrom(right)).toMatchObject({ KPACKLESS_ACCOUNT_CONCURRENCY: 1000, KPACKLESS_LOG_LEVEL: 'info' });
  });
});

describe('the relay', () => {
  it('names everything that is missing', () => {
    expect(refusal(() => relaySettingsFrom({}))).toEqual([
      'the relay cannot start:',
      'KPACKLESS_CLUSTER is missing: must be the name that this cluster is registered under',
      'KPACKLESS_TABLE is missing: must not be empty',
      'KPACKLESS_QUEUE_URL_PREFIX is missing: must not be empty',
    ]);
  });

  it('says of everything that is wrong what was found and what is allowed, also where two settings do not go together', () => {
    const wrong = {
      KPACKLESS_CLUSTER: 'a,b',
      KPACKLESS_QUEUE_URL_PREFIX: 'q',
      KPACKLESS_LIST_EVERYTHING: '1',
      KPACKLESS_HEALTH_PORT: 'http',
    };
    expect(refusal(() => relaySettingsFrom(wrong))).toEqual([
      'the relay cannot start:',
      'KPACKLESS_TABLE is missing: must not be empty',
      'KPACKLESS_LIST_EVERYTHING is "1": must be true or false',
      'KPACKLESS_HEALTH_PORT is "http": must be a port',
      'KPACKLESS_CLUSTER is "a,b": must be one cluster, unless KPACKLESS_KUBECONFIG is a kubeconfig in which each is a context',
    ]);
  });
});
