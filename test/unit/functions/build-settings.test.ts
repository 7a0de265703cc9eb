import { describe, expect, it } from 'vitest';
import { attestPorts } from '../../../functions/attest-ports.ts';
import { settingsFrom } from '../../../functions/settings.ts';
import { openRegistry } from '../../../lib/oci/client.ts';

const required = {
  KPACKLESS_TABLE: 't',
  KPACKLESS_QUEUE_URL_PREFIX: 'q',
  KPACKLESS_SENDERS: 'any',
  KPACKLESS_STEP_IMAGE: 'steps@sha256:1',
};

describe('the cap on running builds', () => {
  it.each([undefined, ''])('is none unless it is set: %j', (value) => {
    const settings = settingsFrom({ ...required, KPACKLESS_MAX_BUILDS: value });
    expect([settings.KPACKLESS_MAX_BUILDS, settings.KPACKLESS_MAX_BUILDS_PER_NAMESPACE]).toEqual([
      undefined,
      undefined,
    ]);
  });

  it('is a number from 1 to 800, more holders than that would not fit one item', () => {
    expect(settingsFrom({ ...required, KPACKLESS_MAX_BUILDS: '800' }).KPACKLESS_MAX_BUILDS).toBe(800);
    for (const value of ['0', '801', '999', '1000', '07', '-1', 'many', '1.5'])
      expect(() => settingsFrom({ ...required, KPACKLESS_MAX_BUILDS_PER_NAMESPACE: value })).toThrow(
        `KPACKLESS_MAX_BUILDS_PER_NAMESPACE is ${JSON.stringify(value)}: must be a number from 1 to 800`,
      );
  });
});

describe('pods that are made again', () => {
  it.each([undefined, ''])('are three, after 10 s, unless it is set: %j', (value) => {
    const settings = settingsFrom({ ...required, KPACKLESS_POD_RETRIES: value, KPACKLESS_POD_RETRY_SECONDS: value });
    expect([settings.KPACKLESS_POD_RETRIES, settings.KPACKLESS_POD_RETRY_SECONDS]).toEqual([3, 10]);
  });

  it('are 0 to 20, after 1 to 600 s', () => {
    const edges = settingsFrom({ ...required, KPACKLESS_POD_RETRIES: '0', KPACKLESS_POD_RETRY_SECONDS: '600' });
    expect([edges.KPACKLESS_POD_RETRIES, edges.KPACKLESS_POD_RETRY_SECONDS]).toEqual([0, 600]);
    for (const value of ['21', '-1', '07', 'many', '1.5'])
      expect(() => settingsFrom({ ...required, KPACKLESS_POD_RETRIES: value })).toThrow('whole number from 0 to 20');
    for (const value of ['0', '601'])
      expect(() => settingsFrom({ ...required, KPACKLESS_POD_RETRY_SECONDS: value })).toThrow('from 1 to 600');
  });
});

describe('pods that live with injected sidecars', () => {
  it.each([
    ['true', true],
    ['false', false],
    ['team-a', ['team-a']],
    ['team-a,b', ['team-a', 'b']],
  ])('are those of %s', (value, wanted) => {
    const settings = settingsFrom({ ...required, KPACKLESS_INJECTED_SIDECAR_SUPPORT: value });
    expect(settings.KPACKLESS_INJECTED_SIDECAR_SUPPORT).toEqual(wanted);
  });

  it.each(['', 'True', 'a,', '-a', 'a b'])('are not those of %j', (value) => {
    expect(() => settingsFrom({ ...required, KPACKLESS_INJECTED_SIDECAR_SUPPORT: value })).toThrow(
      'true, false, or names',
    );
  });
});

describe('the limit of a pod’s directories', () => {
  it.each([undefined, ''])('is none unless it is set: %j', (value) => {
    expect(settingsFrom({ ...required, KPACKLESS_EMPTY_DIR_LIMIT: value }).KPACKLESS_EMPTY_DIR_LIMIT).toBeUndefined();
  });

  it('is a quantity of bytes as Kubernetes writes it', () => {
    for (const value of ['4Gi', '500M', '2000000000', '1Ti'])
      expect(settingsFrom({ ...required, KPACKLESS_EMPTY_DIR_LIMIT: value }).KPACKLESS_EMPTY_DIR_LIMIT).toBe(value);
    for (const value of ['0', '-1Gi', '4GB', '1.5Gi', '4 Gi', 'much', '0Gi', '4gi'])
      expect(() => settingsFrom({ ...required, KPACKLESS_EMPTY_DIR_LIMIT: value })).toThrow(
        `KPACKLESS_EMPTY_DIR_LIMIT is ${JSON.stringify(value)}: must be a quantity of bytes such as 4Gi`,
      );
  });
});

describe('provenance', () => {
  it('names what the installation decides by kpack’s names, and no secret', () => {
    const settings = settingsFrom({
      ...required,
      KPACKLESS_SLSA_ATTESTATION: 'true',
      KPACKLESS_SYSTEM_NAMESPACE: 'sys',
    });
    const { systemAccount, internalParameters } = attestPorts(settings, () => Promise.resolve(openRegistry()));
    expect(systemAccount).toEqual({ namespace: 'sys', name: 'controller' });
    expect(internalParameters).toEqual({
      systemNamespace: 'sys',
      systemServiceAccount: 'controller',
      enablePriorityClasses: false,
      maximumPlatformApiVersion: '',
      sshTrustUnknownHosts: true,
      buildInitImage: 'steps@sha256:1',
      buildWaiterImage: 'steps@sha256:1',
      completionImage: 'steps@sha256:1',
      rebaseImage: 'steps@sha256:1',
      injectedSidecarSupport: false,
      generateSlsaAttestation: true,
    });
  });
});
